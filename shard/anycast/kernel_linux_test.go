package anycast

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// A dump that was interrupted is asked for again, but not for ever, and no other error is taken for that.
func TestUninterrupted(t *testing.T) {
	for name, c := range map[string]struct {
		errs []error // of one dump after the other; then there is none
		want error
		n    int
	}{
		"at once":     {nil, nil, 1},
		"interrupted": {[]error{nl.ErrDumpInterrupted, nl.ErrDumpInterrupted}, nil, 3},
		"always":      {slices.Repeat([]error{nl.ErrDumpInterrupted}, 2*dumpTries), nl.ErrDumpInterrupted, dumpTries},
		"another":     {[]error{unix.ENOBUFS}, unix.ENOBUFS, 1},
	} {
		n := 0
		_, err := uninterrupted(func() ([][]byte, error) {
			if n++; n <= len(c.errs) {
				return nil, c.errs[n-1]
			}
			return nil, nil
		})
		if !errors.Is(err, c.want) || n != c.n {
			t.Errorf("%s: %v after %d dumps; want %v after %d", name, err, n, c.want, c.n)
		}
	}
}

// What the kernel tells of an address is read as it means it: whose it is, on which interface, and for how long.
func TestReadAddress(t *testing.T) {
	message := func(text string) []byte {
		m, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	const cache = "14000600" + "00000000" // IFA_CACHEINFO, preferred for no time
	for name, c := range map[string]struct {
		msg  []byte
		want address
		host bool
	}{
		"IPv4 of ours": {message("02200000" + "01000000" + "08000100c0000235" + "08000200c0000235" + "05000b0068000000" + cache + "03000000" + "0000000000000000"),
			address{link: 1, addr: netip.MustParseAddr("192.0.2.53"), proto: proto, valid: 3 * time.Second}, true},
		"IPv6, forever": {message("0a800200" + "07000000" + "14000100" + "20010db8000000000000000000000053" + cache + "ffffffff" + "0000000000000000"),
			address{link: 7, addr: netip.MustParseAddr("2001:db8::53"), valid: forever}, true},
		"the other end's": {message("02200000" + "01000000" + "08000100c0000201" + "08000200c0000235"),
			address{link: 1, addr: netip.MustParseAddr("192.0.2.53"), valid: forever}, true},
		"a network's": {message("02180000" + "01000000" + "08000200c0000235"), address{link: 1, addr: netip.MustParseAddr("192.0.2.53"), valid: forever}, false},
		"cut short":   {message("022000"), address{}, false},
		"no address":  {message("02200000" + "01000000"), address{link: 1, valid: forever}, false},
	} {
		if got, host := readAddress(c.msg); got != c.want || host != c.host {
			t.Errorf("%s: %+v, %v; want %+v, %v", name, got, host, c.want, c.host)
		}
	}
}

// FuzzReadAddress asserts that no message makes it panic, and that a host's address has all its bits.
func FuzzReadAddress(f *testing.F) {
	f.Add([]byte("\x02\x20\x00\x00\x01\x00\x00\x00\x08\x00\x02\x00\xc0\x00\x02\x35"))
	f.Fuzz(func(t *testing.T, m []byte) {
		if a, host := readAddress(m); host && (!a.addr.IsValid() || int(m[1]) != a.addr.BitLen()) {
			t.Fatalf("%x: %+v", m, a)
		}
	})
}
