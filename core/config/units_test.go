package config

import (
	"math/big"
	"strings"
	"testing"
	"time"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]Bytes{
		"0B": 0, "1B": 1, "64KiB": 64 << 10, "256MiB": 256 << 20, "1.5GiB": 3 << 29, "1.25GiB": 5 << 28, "2TiB": 2 << 40,
		"0.5B": 0, "8388607TiB": 8388607 << 40, "0.3333333333333333333333KiB": 341,
	} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "1", "B", "1 MiB", "1MB", "1M", "1mib", "-1B", "1.B", ".5MiB", "1e3B", "8388608TiB",
		"99999999999999999999B", "1MiB2KiB", "+1B", "1MiB "} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q: %d", text, got)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0s": 0, "1.8s": 1800 * time.Millisecond, "24h": 24 * time.Hour, "7d": 168 * time.Hour, "1d12h": 36 * time.Hour,
		"1h30m": 90 * time.Minute, "100us": 100 * time.Microsecond, "5µs": 5 * time.Microsecond, "3ns": 3, "0.5d": 12 * time.Hour,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "1", "s", "1 s", "1w", "1S", "-1s", "1.s", "1s-1s", "106752d", "1min", "9223372036s9223372036s"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Hour: "1h", 24 * time.Hour: "24h", 48 * time.Hour: "2d", 25 * time.Hour: "25h", 90 * time.Second: "1m30s",
		20 * time.Microsecond: "20us", 1800 * time.Millisecond: "1.8s", 10 * time.Minute: "10m", time.Hour + 10*time.Second: "1h0m10s",
	} {
		if got := FormatDuration(d); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
}

// FuzzParseDuration: what time.ParseDuration takes, this takes with the same result, signs aside; what is
// parsed comes back from its text.
func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"1.8s", "24h", "1d12h", "7d", "1h2m3.5s4ms5us6ns", "0.000000001s", "9223372036.854775807s", "1.5ns", ".5s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseDuration(s)
		// time.ParseDuration also takes signs, a bare zero, and a number that begins or ends with its point.
		if want, e := time.ParseDuration(s); !strings.ContainsAny(s, "+-") && s != "0" && !oddPoint(s) && !strings.Contains(s, "d") {
			// It rounds long fractions in another way, by a nanosecond for each number.
			if (e == nil) != (err == nil) || e == nil && (got-want).Abs() > time.Duration(len(s)) {
				t.Fatalf("%q: %v, %v, want %v, %v", s, got, err, want, e)
			}
		}
		if err != nil {
			return
		}
		if back, err := ParseDuration(FormatDuration(got)); err != nil || back != got {
			t.Fatalf("%q: %v is written %s and read %v, %v", s, got, FormatDuration(got), back, err)
		}
	})
}

// oddPoint tells whether s has a point without a digit on either side.
func oddPoint(s string) bool {
	for i := range len(s) {
		if s[i] == '.' && (i == 0 || i+1 == len(s) || s[i-1] < '0' || s[i-1] > '9' || s[i+1] < '0' || s[i+1] > '9') {
			return true
		}
	}
	return false
}

// FuzzParseSize: a size is what exact arithmetic makes of its number and unit, and comes back from its text.
func FuzzParseSize(f *testing.F) {
	for _, s := range []string{"256MiB", "1.5GiB", "0.1KiB", "9223372036854775807B", "16TiB", "1.999999999999999999999TiB"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseSize(s)
		if err != nil {
			return
		}
		number := strings.TrimRight(s, "BKMGTi")
		exact, ok := new(big.Rat).SetString(number)
		if !ok {
			t.Fatalf("%q: taken, though %q is no number", s, number)
		}
		shift := map[string]uint{"B": 0, "KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40}[s[len(number):]]
		exact.Mul(exact, new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), shift)))
		want := new(big.Int).Quo(exact.Num(), exact.Denom())
		// Digits beyond the 18th of a fraction are not looked at: less than a byte in 2^40.
		if d := new(big.Int).Sub(want, big.NewInt(int64(got))); d.Sign() < 0 || d.Cmp(big.NewInt(1)) > 0 {
			t.Fatalf("%q: %d, want %d", s, got, want)
		}
		if back, err := ParseSize(got.String()); err != nil || back != got {
			t.Fatalf("%q: %d is written %s and read %d, %v", s, got, got, back, err)
		}
	})
}
