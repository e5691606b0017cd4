package config

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// unit is a suffix and how much one of it is.
type unit struct {
	suffix string
	size   uint64
}

// sizeUnits are binary, so that nobody has to guess which thousand is meant.
var sizeUnits = []unit{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// durationUnits are those of time.ParseDuration, and the day of 24 hours.
var durationUnits = []unit{
	{"d", uint64(24 * time.Hour)},
	{"h", uint64(time.Hour)},
	{"ms", uint64(time.Millisecond)},
	{"us", uint64(time.Microsecond)},
	{"µs", uint64(time.Microsecond)}, // U+00B5
	{"μs", uint64(time.Microsecond)}, // U+03BC
	{"ns", 1},
	{"m", uint64(time.Minute)},
	{"s", uint64(time.Second)},
}

var (
	errNegative = errors.New("must not be negative")
	errTooLarge = errors.New("is too large")
)

// ParseSize reads an amount of memory such as "256MiB" or "1.5GiB".
func ParseSize(s string) (Bytes, error) {
	n, rest, err := parseAmount(s, sizeUnits)
	if err != nil {
		return 0, sizeError(s, err)
	}
	if rest != "" {
		return 0, sizeError(s, errUnit)
	}
	return Bytes(n), nil
}

func sizeError(s string, err error) error {
	if errors.Is(err, errUnit) {
		hint := `write it like "256MiB" or "64KiB"`
		number := strings.TrimRight(s, "BKMGTbkmgti ")
		if letters := strings.TrimLeft(s[len(number):], " "); number != "" && letters != "" && letters[0] != 'B' && letters[0] != 'b' {
			hint = fmt.Sprintf("did you mean %q", number+strings.ToUpper(letters[:1])+"iB")
		}
		return fmt.Errorf("size %q needs one of the units B, KiB, MiB, GiB, TiB; %s", s, hint)
	}
	return fmt.Errorf("size %q %w", s, err)
}

// String returns the size in the largest unit that divides it.
func (b Bytes) String() string {
	for _, u := range sizeUnits {
		if b != 0 && uint64(b)%u.size == 0 {
			return strconv.FormatUint(uint64(b)/u.size, 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(b), 10) + "B"
}

// ParseDuration reads a duration such as "1.8s", "24h" or "1d12h".
func ParseDuration(s string) (time.Duration, error) {
	total := uint64(0)
	for rest := s; ; {
		n, next, err := parseAmount(rest, durationUnits)
		if err == nil && total+n > math.MaxInt64 {
			err = errTooLarge
		}
		if err != nil {
			if errors.Is(err, errUnit) {
				return 0, fmt.Errorf(`duration %q needs one of the units ns, us, ms, s, m, h, d; write it like "24h" or "1.8s"`, s)
			}
			return 0, fmt.Errorf("duration %q %w", s, err)
		}
		total += n
		if rest = next; rest == "" {
			return time.Duration(total), nil
		}
	}
}

// FormatDuration returns d with whole days, hours and minutes in short: "7d", "24h", "1h30m", "1.8s".
func FormatDuration(d time.Duration) string {
	const day = 24 * time.Hour
	if d > day && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return strings.ReplaceAll(s, "µ", "u")
}

// errUnit says that an amount does not read as number and unit.
var errUnit = errors.New("has no known unit")

// parseAmount reads a decimal number and its unit at the start of s.
func parseAmount(s string, units []unit) (n uint64, rest string, err error) {
	if strings.HasPrefix(s, "-") {
		return 0, "", errNegative
	}
	digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
	if digits == 0 {
		return 0, "", errUnit
	}
	whole, err := strconv.ParseUint(s[:digits], 10, 63)
	if err != nil {
		return 0, "", errTooLarge
	}
	rest = s[digits:]
	fraction := ""
	if strings.HasPrefix(rest, ".") {
		fraction = rest[1 : len(rest)-len(strings.TrimLeft(rest[1:], "0123456789"))]
		rest = rest[1+len(fraction):]
		if fraction == "" {
			return 0, "", errUnit
		}
	}
	for _, u := range units {
		if !strings.HasPrefix(rest, u.suffix) {
			continue
		}
		high, n := bits.Mul64(whole, u.size)
		n, carry := bits.Add64(n, partOf(u.size, fraction), 0)
		if high != 0 || carry != 0 || n > math.MaxInt64 {
			return 0, "", errTooLarge
		}
		return n, rest[len(u.suffix):], nil
	}
	return 0, "", errUnit
}

// partOf returns 0.fraction times size, rounded down.
func partOf(size uint64, fraction string) uint64 {
	numerator, denominator := uint64(0), uint64(1)
	for _, c := range []byte(fraction[:min(len(fraction), 18)]) { // 10^18 fits into 64 bits
		numerator = numerator*10 + uint64(c-'0')
		denominator *= 10
	}
	high, low := bits.Mul64(numerator, size)
	part, _ := bits.Div64(high, low, denominator)
	return part
}
