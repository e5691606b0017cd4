package config

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"heimdall/affinity/cpulist"
	"heimdall/core/dname"
)

// fault is what is wrong with a value.
type fault struct {
	element int // of a list; -1: the value as a whole
	message string
}

func faulty(format string, args ...any) []fault {
	return []fault{{-1, fmt.Sprintf(format, args...)}}
}

// field returns a pointer to the field of table, a pointer to a struct, that the key is for.
func (k *key) field(table any) any {
	v := reflect.ValueOf(table).Elem()
	for name := range strings.SplitSeq(k.Name, ".") {
		at := fieldOf(v.Type(), name)
		if at < 0 {
			panic("config: no field for key " + k.Name)
		}
		v = v.Field(at)
	}
	return v.Addr().Interface()
}

// fieldOf returns the index of the field with tag name, -1 if there is none.
func fieldOf(t reflect.Type, name string) int {
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("toml") == name {
			return i
		}
	}
	return -1
}

// set checks a value as the toml package returns it, and stores it in table if it is good.
func (k *key) set(table any, v any) []fault {
	switch dst := k.field(table).(type) {
	case *bool:
		b, ok := v.(bool)
		if !ok {
			return faulty("want true or false, not %s", describe(v))
		}
		*dst = b
	case *int:
		n, ok := v.(int64)
		if !ok {
			return faulty("want a number of %s, not %s", k.Unit, describe(v))
		}
		if f := k.inRange(n); f != nil {
			return f
		}
		*dst = int(n)
	case *Shards:
		if n, ok := v.(int64); ok {
			if f := k.inRange(n); f != nil {
				return f
			}
			*dst = Shards{Count: int(n)}
			return nil
		}
		var cpus CPUs
		if f := k.setText(v, &cpus, `"auto", a number, or a CPU list such as "0-3,8"`); f != nil {
			return f
		}
		*dst = Shards{CPUs: cpus}
	case *CPUs:
		return k.setText(v, dst, `"auto" or a CPU list such as "0-3,8"`)
	case *Bytes:
		return k.setText(v, dst, `a size in quotes, such as "256MiB"`)
	case *time.Duration:
		return k.setText(v, dst, `a duration in quotes, such as "1h" or "1.8s"`)
	case *time.Time:
		return k.setText(v, dst, `a time in quotes, such as "2026-01-31T12:00:00Z"`)
	case *netip.AddrPort:
		return k.setText(v, dst, `an address with a port in quotes, such as "127.0.0.1:9153"`)
	case *dname.Name:
		return k.setText(v, dst, `a domain name in quotes`)
	case *string:
		return k.setText(v, dst, "a text in quotes")
	case *[]netip.AddrPort:
		return setList(k, v, dst, `addresses such as "192.0.2.53:53"`, k.parseAddrPort)
	case *[]netip.Addr:
		return setList(k, v, dst, `addresses such as "192.0.2.53"`, parseService)
	case *[]netip.Prefix:
		return setList(k, v, dst, `prefixes such as "192.0.2.0/24"`, parsePrefix)
	case *[]dname.Name:
		return setList(k, v, dst, "domain names", parseName)
	case *[]string:
		if k.Values != nil {
			return setList(k, v, dst, "the texts "+k.Range(), k.parseValue)
		}
		return setList(k, v, dst, `texts such as "eth0"`, parseInterface)
	case *[]Path:
		return setList(k, v, dst, `texts such as "/srv/zones"`, parsePath)
	default:
		panic(fmt.Sprintf("config: key %s has a field of type %T", k.Name, dst))
	}
	return nil
}

// parseCPUs reads a list of at least one CPU.
func parseCPUs(s string) ([]int, error) {
	list, err := cpulist.Parse(s)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf(`%q names no CPU; write the list like "0-3,8"`, s)
	}
	return list, err
}

// setText stores a value that is written as a text.
func (k *key) setText(v, dst any, want string) []fault {
	s, ok := v.(string)
	if !ok {
		return faulty("want %s, not %s", want, describe(v))
	}
	var err error
	var f []fault
	switch dst := dst.(type) {
	case *CPUs:
		if *dst = nil; s != "auto" {
			*dst, err = parseCPUs(s)
		}
	case *Bytes:
		var b Bytes
		if b, err = ParseSize(s); err == nil {
			if f = k.inRange(int64(b)); f == nil {
				*dst = b
			}
		}
	case *time.Duration:
		var d time.Duration
		if d, err = ParseDuration(s); err == nil {
			if f = k.inRange(int64(d)); f == nil {
				*dst = d
			}
		}
	case *time.Time:
		if *dst = (time.Time{}); s != "" {
			if *dst, err = time.Parse(time.RFC3339, s); err != nil {
				err = fmt.Errorf("%q is no time: want %s", s, want)
			}
		}
	case *netip.AddrPort:
		if *dst = (netip.AddrPort{}); s != "" {
			*dst, err = k.parseAddrPort(s)
		}
	case *dname.Name:
		if *dst = nil; s != "" || k.Default == nil {
			*dst, err = parseName(s)
		}
	case *string:
		switch {
		case k.Values != nil && !slices.Contains(k.Values, s):
			return faulty("%q is none of %s%s", s, strings.Join(k.Values, ", "), didYouMean(s, k.Values))
		case int64(len(s)) < k.Min:
			return faulty("must not be empty")
		case k.Max > 0 && int64(len(s)) > k.Max:
			return faulty("has %d octets: %s", len(s), k.Range())
		case strings.ContainsRune(s, 0):
			return faulty("must not contain a zero octet")
		}
		*dst = s
	}
	if err != nil {
		return faulty("%v", err)
	}
	return f
}

// setList stores a list whose elements are written as texts.
func setList[T any](k *key, v any, dst *[]T, want string, parse func(string) (T, error)) []fault {
	elements, ok := v.([]any)
	if !ok {
		return faulty("want a list of %s, not %s", want, describe(v))
	}
	var faults []fault
	list := make([]T, 0, len(elements))
	for i, e := range elements {
		s, ok := e.(string)
		if !ok {
			faults = append(faults, fault{i, fmt.Sprintf("want a list of %s, not of %s", want, describe(e))})
			continue
		}
		t, err := parse(s)
		if err != nil {
			faults = append(faults, fault{i, err.Error()})
			continue
		}
		list = append(list, t)
	}
	if n := int64(len(elements)); n < k.Min {
		faults = append(faults, fault{-1, "must not be empty"})
	} else if k.Max > 0 && n > k.Max {
		faults = append(faults, fault{-1, fmt.Sprintf("has %d elements: %s", n, k.Range())})
	}
	if faults == nil {
		*dst = list
	}
	return faults
}

// inRange checks a number against the key's bounds.
func (k *key) inRange(n int64) []fault {
	if n < k.Min || n > k.Max {
		return faulty("%s is out of range: %s", k.amount(n), k.Range())
	}
	return nil
}

// Range returns the key's bounds in words, "1MiB to 16TiB"; the values of a text; empty without bounds.
func (k *key) Range() string {
	switch {
	case k.Values != nil:
		return strings.Join(k.Values, ", ")
	case k.Max == 0:
		return ""
	}
	s := k.amount(k.Min) + " to " + k.amount(k.Max)
	if k.Unit != "" {
		s += " " + k.Unit
	}
	return s
}

// amount writes a number in the key's unit.
func (k *key) amount(n int64) string {
	switch k.sample().(type) {
	case *Bytes:
		return Bytes(n).String()
	case *time.Duration:
		return FormatDuration(time.Duration(n))
	}
	return strconv.FormatInt(n, 10)
}

// sample returns a pointer of the type that the key's values have.
func (k *key) sample() any {
	if !strings.Contains(k.Name, ".") {
		return nil // of [[forward]] and the like: no numbers
	}
	return k.field(new(Config))
}

// parseAddrPort reads an address with a port. Servers may go without: theirs is 53.
func (k *key) parseAddrPort(s string) (netip.AddrPort, error) {
	a, err := netip.ParseAddrPort(s)
	if addr, plain := netip.ParseAddr(s); plain == nil && k.Name == "servers" {
		a, err = netip.AddrPortFrom(addr, 53), nil
	}
	switch {
	case strings.Contains(s, "://"):
		return a, fmt.Errorf("%q: this build asks servers over UDP and TCP only; write the address alone, such as %q", s, "192.0.2.53:53")
	case err != nil:
		return a, fmt.Errorf(`%q is no address with a port, such as "192.0.2.53:53" or "[2001:db8::53]:53"`, s)
	case a.Port() == 0:
		return a, fmt.Errorf("%q: port 0 stands for none", s)
	case a.Addr().IsMulticast():
		return a, fmt.Errorf("%q is a multicast address", s)
	case a.Addr().Is6() && a.Addr().IsLinkLocalUnicast() && a.Addr().Zone() == "":
		return a, fmt.Errorf(`%q: a link-local address needs its interface, such as "[fe80::1%%eth0]:53"`, s)
	}
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()), nil
}

// parseService reads an address that routers lead clients to.
func parseService(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	switch {
	case err != nil:
		return a, fmt.Errorf(`%q is no address, such as "192.0.2.53" or "2001:db8::53", without port and prefix length`, s)
	case !a.Unmap().IsGlobalUnicast():
		return a, fmt.Errorf("%q is no address that can be routed", s)
	}
	return a.Unmap(), nil
}

func parsePrefix(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		if a, plain := netip.ParseAddr(s); plain == nil {
			return p, fmt.Errorf("%q has no prefix length; for one address write %q", s, fmt.Sprintf("%s/%d", a, a.BitLen()))
		}
		return p, fmt.Errorf(`%q is no prefix, such as "192.0.2.0/24" or "2001:db8::/32"`, s)
	}
	if p != p.Masked() {
		return p, fmt.Errorf("%q has bits beyond its length; did you mean %q", s, p.Masked())
	}
	return p, nil
}

// parseName reads a domain name and lowers its letters.
func parseName(s string) (dname.Name, error) {
	n, err := dname.ParseText(nil, s)
	if err != nil {
		return nil, err
	}
	return dname.AppendLower(nil, n), nil
}

// parseInterface checks the name of a network interface as the kernel does (dev_valid_name): 1 to 15 octets
// without slash, colon and white space.
func parseInterface(s string) (string, error) {
	if s == "" || len(s) > 15 || s == "." || s == ".." || strings.ContainsAny(s, "/:\x00 \t\n\v\f\r") {
		return "", fmt.Errorf("%q cannot be the name of a network interface", s)
	}
	return s, nil
}

// parseValue checks an element of a list of a few texts.
func (k *key) parseValue(s string) (string, error) {
	if !slices.Contains(k.Values, s) {
		return "", fmt.Errorf("%q is none of %s%s", s, strings.Join(k.Values, ", "), didYouMean(s, k.Values))
	}
	return s, nil
}

// describe says what kind of value the toml package has found.
func describe(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("the text %q", v)
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return fmt.Sprintf("the number %d", v)
	case float64:
		return fmt.Sprintf("the number %v", v)
	case time.Time:
		return "a date without quotes"
	case []any:
		return "a list"
	case map[string]any, []map[string]any:
		return "a table"
	}
	return fmt.Sprintf("a %T", v)
}

func parsePath(s string) (Path, error) {
	if s == "" || strings.ContainsRune(s, 0) {
		return "", fmt.Errorf("%q cannot be a path", s)
	}
	return Path(s), nil
}
