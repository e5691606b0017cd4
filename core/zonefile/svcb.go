package zonefile

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"heimdall/core/dname"
)

// svcKeys are the names of the SvcParamKeys from 0 up (RFC 9460, section 14.3.2, and those registered since).
var svcKeys = [...]string{"mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath", "ohttp",
	"tls-supported-groups"}

const (
	keyMandatory = iota
	keyALPN
	keyNoDefaultALPN
	keyPort
	keyIPv4Hint
	keyECH
	keyIPv6Hint
	keyDoHPath
	keyOHTTP
	keyGroups
)

// svcKeyName names a key in errors.
func svcKeyName(key uint16) string {
	if int(key) < len(svcKeys) {
		return svcKeys[key]
	}
	return "key" + strconv.Itoa(int(key))
}

// parseSvcKey reads the name of a key, or keyNNNNN without leading zeros.
func parseSvcKey(text []byte) (uint16, bool) {
	for n, name := range svcKeys {
		if string(text) == name {
			return uint16(n), true
		}
	}
	number, ok := bytes.CutPrefix(text, []byte("key"))
	n, err := strconv.ParseUint(string(number), 10, 16)
	if !ok || err != nil || len(number) > 1 && number[0] == '0' {
		return 0, false
	}
	return uint16(n), true
}

// svcParam is one SvcParam.
type svcParam struct {
	key   uint16
	value []byte // in wire form
}

// svcParams reads SvcParams (RFC 9460, section 2.1) up to the end. They may stand in any order.
func (f *fields) svcParams() {
	var list []svcParam
	for len(f.tokens) > 0 && f.err == nil {
		t, _ := f.text()
		name, text, assigned := bytes.Cut(t.text, []byte("="))
		key, ok := parseSvcKey(name)
		if !ok || t.quoted {
			f.fail(fmt.Errorf("%q: %w", name, errSvcKey))
			return
		}
		if assigned && (key == keyNoDefaultALPN || key == keyOHTTP) && name[0] != 'k' {
			f.fail(errSvcValue(key)) // not even an empty one
			return
		}
		value := token{text: text, escape: t.escape}
		if len(f.tokens) > 0 && f.tokens[0].glued {
			if !assigned || len(text) > 0 {
				f.fail(errSvcValue(key))
				return
			}
			value, _ = f.text()
			if len(f.tokens) > 0 && f.tokens[0].glued {
				f.fail(errSvcValue(key))
				return
			}
		}
		plain, ok := appendText(nil, value)
		if !ok {
			f.fail(errEscape)
			return
		}
		// RFC 9460, section 2.1: what follows keyNNNNN is the wire form.
		if !bytes.HasPrefix(name, []byte("key")) {
			plain, ok = svcValue(key, plain)
		}
		if !ok || len(plain) > 1<<16-1 {
			f.fail(errSvcValue(key))
			return
		}
		list = append(list, svcParam{key, plain})
	}
	slices.SortStableFunc(list, func(a, b svcParam) int { return int(a.key) - int(b.key) })
	for _, p := range list {
		f.out = put16(put16(f.out, p.key), uint16(len(p.value)))
		f.out = append(f.out, p.value...)
	}
	if f.err == nil {
		f.err = checkSvcParams(f.out[f.start:])
	}
}

func errSvcValue(key uint16) error { return fmt.Errorf("%s: %w", svcKeyName(key), errSvcForm) }

// svcValue returns the wire form of what stands behind a key that is written by its name.
func svcValue(key uint16, text []byte) (out []byte, ok bool) {
	switch key {
	case keyALPN:
		return alpnList(text)
	case keyECH:
		out, err := base64.StdEncoding.AppendDecode(nil, text)
		return out, err == nil
	case keyMandatory, keyPort, keyIPv4Hint, keyIPv6Hint, keyGroups:
	default:
		return text, true
	}
	var list []uint16
	parts := bytes.Split(text, []byte(","))
	if key == keyPort && len(parts) != 1 {
		return nil, false
	}
	for _, part := range parts {
		switch key {
		case keyMandatory:
			k, ok := parseSvcKey(part)
			if !ok {
				return nil, false
			}
			list = append(list, k)
		case keyPort, keyGroups:
			n, err := parseNumber(token{text: part}, 1<<16-1)
			if err != nil {
				return nil, false
			}
			out = put16(out, uint16(n))
		default:
			a, err := netip.ParseAddr(string(part))
			if err != nil || a.Zone() != "" || a.Is4() != (key == keyIPv4Hint) {
				return nil, false
			}
			out = append(out, a.AsSlice()...)
		}
	}
	slices.Sort(list)
	for _, k := range list {
		out = put16(out, k)
	}
	return out, true
}

// alpnList reads a list with commas between its items; a backslash takes a character as it is (RFC 9460,
// appendix A.1).
func alpnList(text []byte) (out []byte, ok bool) {
	item := []byte{0}
	for i := 0; i <= len(text); i++ {
		if i == len(text) || text[i] == ',' {
			if len(item) == 1 || len(item) > 256 {
				return nil, false
			}
			item[0] = byte(len(item) - 1)
			out = append(out, item...)
			item = item[:1]
			continue
		}
		if text[i] == '\\' {
			if i++; i == len(text) {
				return nil, false
			}
		}
		item = append(item, text[i])
	}
	return out, true
}

// checkSvcParams checks what RFC 9460 asks of the SvcParams of RDATA whose structure is sound.
func checkSvcParams(rdata []byte) error {
	if len(rdata) < 2 {
		return errMalformed
	}
	target, ok := dname.Parse(rdata[2:])
	if !ok {
		return errMalformed
	}
	rest := rdata[2+len(target):]
	var keys []uint16
	var mandatory []byte
	for len(rest) >= 4 {
		key, size := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[2:]))
		if rest = rest[4:]; size > len(rest) {
			return errMalformed
		}
		value := rest[:size]
		rest = rest[size:]
		if len(keys) > 0 && key == keys[len(keys)-1] {
			return fmt.Errorf("%s occurs twice", svcKeyName(key))
		}
		keys = append(keys, key)
		if !soundSvcValue(key, value) {
			return errSvcValue(key)
		}
		if key == keyMandatory {
			mandatory = value
		}
	}
	// RFC 9460, section 8: each once, in order, not itself, and there.
	last := uint16(keyMandatory)
	for ; len(mandatory) > 0; mandatory = mandatory[2:] {
		key := binary.BigEndian.Uint16(mandatory)
		if key <= last {
			return errSvcMandatory
		}
		if last = key; !slices.Contains(keys, key) {
			return fmt.Errorf("%s is mandatory, but missing", svcKeyName(key))
		}
	}
	return nil
}

// soundSvcValue checks the wire form of a key's value (RFC 9460, section 7, RFC 9461, RFC 9540).
func soundSvcValue(key uint16, value []byte) bool {
	size := len(value)
	switch key {
	case keyMandatory, keyGroups:
		return size > 0 && size%2 == 0
	case keyALPN:
		for rest := value; len(rest) > 0; {
			n := 1 + int(rest[0])
			if n == 1 || n > len(rest) {
				return false
			}
			rest = rest[n:]
		}
		return size > 0
	case keyNoDefaultALPN, keyOHTTP:
		return size == 0
	case keyPort:
		return size == 2
	case keyIPv4Hint:
		return size > 0 && size%4 == 0
	case keyIPv6Hint:
		return size > 0 && size%16 == 0
	case keyECH, keyDoHPath:
		return size > 0
	}
	return true
}
