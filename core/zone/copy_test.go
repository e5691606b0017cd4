package zone_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"heimdall/core/wire"
	"heimdall/core/zone"
)

// A copy answers as the zone itself does, and goes on doing so when the zone's memory is gone.
func TestCopy(t *testing.T) {
	for _, file := range []string{"nsec", "nsec3", "optout", "stars-nsec3"} {
		text, err := os.ReadFile("testdata/" + file + ".zone")
		if err != nil {
			t.Fatal(err)
		}
		var memory []byte
		b := zone.NewBuilder(query(t, "example.test.", 1, false).Name, zone.Options{})
		if err := readInto(b, strings.NewReader(string(text))); err != nil {
			t.Fatal(err)
		}
		z, problems := b.Finish(func(size int) ([]byte, error) { memory = make([]byte, size); return memory, nil })
		if z == nil {
			t.Fatal(problems)
		}
		c, err := z.Copy(func(size int) ([]byte, error) {
			if size != z.Memory() {
				t.Errorf("%s: %d bytes, want %d", file, size, z.Memory())
			}
			return make([]byte, size), nil
		})
		if err != nil || c.Serial() != z.Serial() || c.Records() != z.Records() || c.Names() != z.Names() || !c.Signed() || c.Memory() != z.Memory() {
			t.Fatalf("%s: %v, %v", file, c, err)
		}
		var want [][]byte
		replies := func(z *zone.Zone) (list [][]byte) {
			s := zone.NewSet([]*zone.Zone{z})
			for _, name := range []string{"", "mail.", "nowhere.", "a.b.nowhere.", "x.wild.", "host.insecure.", "insecure."} {
				for _, qtype := range []uint16{1, 2, 6, 15, 43, 48, 51} {
					msg, _, _ := s.AppendReply(nil, query(t, name+"example.test.", qtype, true), 4096, wire.FlagQR)
					list = append(list, msg)
				}
			}
			return list
		}
		want = replies(z)
		clear(memory)
		for i, got := range replies(c) {
			if !bytes.Equal(got, want[i]) {
				t.Errorf("%s: response %d is\n%x, want\n%x", file, i, got, want[i])
			}
		}
		full := errors.New("full")
		if _, err := c.Copy(func(int) ([]byte, error) { return nil, full }); !errors.Is(err, full) {
			t.Errorf("without memory: %v", err)
		}
	}
}
