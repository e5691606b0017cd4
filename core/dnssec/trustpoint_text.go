package dnssec

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"heimdall/core/dname"
	"heimdall/core/wire"
	"heimdall/core/zonefile"
)

// AppendText appends t in the form of a file to dst: a master file whose comments hold the states. Seed is
// not part of it, as it belongs to the configuration.
func (t *TrustPoint) AppendText(dst []byte) []byte {
	dst = append(dst, "; Trust point of RFC 5011. Times are seconds since 1970.\n"...)
	dst = append(dst, ";; zone="...)
	dst = t.Zone.AppendText(dst)
	dst = fmt.Appendf(dst, " next=%d retry=%d\n", t.Next, t.Retry)
	for i := range t.Keys {
		k := &t.Keys[i]
		key, ok := ParseDNSKEY(k.RData)
		if !ok {
			continue
		}
		dst = t.Zone.AppendText(dst)
		dst = fmt.Appendf(dst, " 0 IN DNSKEY %d %d %d ", key.Flags, key.Protocol, uint8(key.Algorithm))
		dst = base64.StdEncoding.AppendEncode(dst, key.PublicKey)
		dst = fmt.Appendf(dst, " ;; state=%s since=%d hold=%d seen=%d\n", k.State, k.Since, k.Hold, k.Seen)
	}
	return dst
}

var (
	errNoZone      = errors.New("no line that begins with ;; zone=")
	errKeyRecord   = errors.New("want a DNSKEY record of the zone")
	errTooManyKeys = errors.New("more than 32 keys")
	errKeyTwice    = errors.New("key is there twice")
)

// ParseTrustPoint reads what AppendText wrote. name is for errors, which tell the line.
func ParseTrustPoint(name, text string) (*TrustPoint, error) {
	t := &TrustPoint{}
	n := 0 // line
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		record, state, marked := strings.Cut(line, ";;")
		var err error
		switch {
		case marked && record == "":
			err = t.parseHead(state)
		case line == "" || line[0] == ';':
		default:
			err = t.parseKey(record, state)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	if t.Zone == nil {
		return nil, fmt.Errorf("%s: %w", name, errNoZone)
	}
	return t, nil
}

func (t *TrustPoint) parseHead(text string) error {
	return parseFields(text, func(key, value string) (err error) {
		switch key {
		case "zone":
			var zone dname.Name
			zone, err = dname.ParseText(nil, value)
			t.Zone = dname.AppendLower(nil, zone)
		case "next":
			t.Next, err = strconv.ParseInt(value, 10, 64)
		case "retry":
			t.Retry, err = strconv.ParseInt(value, 10, 64)
		default:
			err = errors.New("unknown field")
		}
		return err
	})
}

func (t *TrustPoint) parseKey(record, state string) error {
	var rdata []byte
	err := readRecords("record", record, func(r *zonefile.Record) error {
		if r.Type != wire.TypeDNSKEY || t.Zone == nil || !dname.Equal(r.Owner, t.Zone) || rdata != nil {
			return errKeyRecord
		}
		rdata = slices.Clone(r.RData)
		return nil
	})
	if err != nil {
		return err
	}
	parsed, ok := ParseDNSKEY(rdata)
	switch {
	case !ok || parsed.signs() != ReasonNone:
		return errAnchorKey
	case len(t.Keys) == maxTracked:
		return errTooManyKeys
	case t.find(rdata) >= 0:
		return errKeyTwice
	}
	k := TrackedKey{RData: rdata}
	if err := parseFields(state, k.parseField); err != nil {
		return err
	}
	t.Keys = append(t.Keys, k)
	return nil
}

func (k *TrackedKey) parseField(key, value string) (err error) {
	switch key {
	case "state":
		i := slices.Index(keyStates, value)
		if i < 0 {
			return errors.New("unknown state")
		}
		k.State = KeyState(i)
	case "since":
		k.Since, err = strconv.ParseInt(value, 10, 64)
	case "hold":
		k.Hold, err = strconv.ParseInt(value, 10, 64)
	case "seen":
		k.Seen, err = strconv.Atoi(value)
	default:
		err = errors.New("unknown field")
	}
	return err
}

// parseFields calls set for each key=value of text.
func parseFields(text string, set func(key, value string) error) error {
	for field := range strings.FieldsSeq(text) {
		key, value, _ := strings.Cut(field, "=")
		if err := set(key, value); err != nil {
			return fmt.Errorf("field %q: %w", field, err)
		}
	}
	return nil
}
