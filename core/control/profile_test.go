package control

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// A profile comes whole, whatever its size, and the stream stays usable. One that is too large is refused.
func TestProfile(t *testing.T) {
	f := new(fakeServer)
	c := connect(t, f)
	for _, size := range []int{0, 1, profilePart - 1, profilePart, profilePart + 1, 5*profilePart + 7} {
		f.profile = Profile{Octets: bytes.Repeat([]byte{0, 0xff, '\n'}, size)[:size], Early: size > profilePart}
		p, err := c.Profile(ProfileArgs{Kind: ProfileCPU, Seconds: 1})
		if err != nil || !bytes.Equal(p.Octets, f.profile.Octets) || p.Early != f.profile.Early {
			t.Fatalf("%d octets: %v, %d of them came", size, err, len(p.Octets))
		}
		if _, err := c.Status(); err != nil {
			t.Fatal(err)
		}
	}
	f.profile.Octets = make([]byte, MaxProfile+1)
	_, err := c.Profile(ProfileArgs{Kind: ProfileHeap})
	if e, ok := errors.AsType[*Error](err); !ok || e.Code != CodeTooLarge {
		t.Errorf("a profile that is too large: %v", err)
	}
	if n := len(f.profiles); n != 7 {
		t.Errorf("%d profiles were asked for", n)
	}
}

func TestProfileRefuses(t *testing.T) {
	for args, want := range map[string]string{
		`{"kind":"cpu"}`:                   "1 to 60",
		`{"kind":"trace","seconds":61}`:    "1 to 60",
		`{"kind":"cpu","seconds":-1}`:      "1 to 60",
		`{"kind":"heap","seconds":1}`:      "leave the seconds out",
		`{"kind":"mutex","seconds":1}`:     "use cpu, heap or trace",
		`{}`:                               "use cpu, heap or trace",
		`{"kind":"cpu","seconds":1,"x":1}`: "not valid",
	} {
		f := new(fakeServer)
		if out := string(dispatched(f, `{"command":"profile","args":`+args+`}`)); !strings.Contains(out, want) || len(f.profiles) > 0 {
			t.Errorf("%s: %s", args, out)
		}
	}
}

// FuzzProfile asserts that no daemon's answer makes a client keep more than a profile may have, or wait for more.
func FuzzProfile(f *testing.F) {
	f.Add([]byte(`{"data":{"octets":"AAAA","more":true}}` + "\n" + `{"data":{"octets":"AAAA"}}` + "\n"))
	f.Add([]byte(`{"data":{"more":true}}` + "\n"))
	f.Add([]byte(`{"data":{"octets":"?"}}` + "\n"))
	f.Fuzz(func(t *testing.T, response []byte) {
		p, err := NewClient(&stream{Reader: bytes.NewReader(response)}).Profile(ProfileArgs{Kind: ProfileHeap})
		if err == nil && len(p.Octets) > len(response) {
			t.Fatalf("%d octets out of %q", len(p.Octets), response)
		}
	})
}
