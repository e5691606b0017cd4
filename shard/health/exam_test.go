package health

import (
	"context"
	"strings"
	"testing"

	"heimdall/core/dname"
	"heimdall/core/zone"
	"heimdall/core/zonefile"
)

// Only what a shard has a version of is asked of it: not what another zone of its own covers, or what is not loaded there.
func TestHas(t *testing.T) {
	name := func(text string) dname.Name {
		n, err := dname.ParseText(nil, text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	b := zone.NewBuilder(name("example."), zone.Options{})
	err := zonefile.Read(strings.NewReader("example. 60 SOA ns.example. h.example. 1 2 3 4 5\nexample. 60 NS ns.example.\n"), zonefile.Options{}, func(r *zonefile.Record) error {
		return b.Add(r.Owner, r.Type, r.Class, r.TTL, r.RData)
	})
	if err != nil {
		t.Fatal(err)
	}
	z, problems := b.Finish(nil)
	if z == nil {
		t.Fatal(problems)
	}
	zones := zone.NewSet([]*zone.Zone{z, zone.NewUnready(name("late.test."))})
	for apex, want := range map[string]bool{"EXAMPLE.": true, "new.example.": false, "late.test.": false, "private.": false} {
		if got := has(zones, name(apex)); got != want {
			t.Errorf("%s: %v", apex, got)
		}
	}
	if has(nil, name("example.")) {
		t.Error("no zones have one")
	}
}

// A shard that has answered in time is not taken for stuck because another one is, for which the time has passed.
func TestAwaitsFoundAfterTime(t *testing.T) {
	late, cancel := context.WithCancel(t.Context())
	cancel()
	found := make(chan *exam, 1)
	for range 100 {
		want := new(exam)
		found <- want
		if got := await(late, found); got != want {
			t.Fatal("what was found is not taken")
		}
	}
	if await(late, found) != nil {
		t.Error("something is found where nothing is")
	}
}
