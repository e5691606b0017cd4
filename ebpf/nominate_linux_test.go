package ebpf

import (
	"fmt"
	"testing"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// told returns the questions that the program tells of, as text, with how often.
func told(t *testing.T, p *tier0) map[string]int {
	t.Helper()
	list, _, err := p.Nominees(nil, nil, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, q := range list {
		counts[fmt.Sprintf("%x %d %v %v", q.Name, q.Type, q.DO, q.CD)]++
	}
	return counts
}

// Each question is told of when it has been asked so often, and again after as many times.
func TestRootNominees(t *testing.T) {
	for _, hits := range []uint16{1, 4, 300} {
		p := load(t, Options{Entries: 16})
		if err := p.SetMinHits(hits); err != nil {
			t.Fatal(err)
		}
		a := frame(client4, server4, query("WWW.example.", wire.TypeTXT, wire.FlagCD, 1232, true))
		b := frame(client6, server6, query("other.name.example.", wire.TypeA, 0, 0, false))
		keyA := fmt.Sprintf("%x 16 true true", []byte(dnametest.Name("www.example.")))
		keyB := fmt.Sprintf("%x 1 false false", []byte(dnametest.Name("other.name.example.")))
		for round := range 3 {
			for range hits - 1 {
				p.try(t, a, Pass, Exit(xdpExitPASS_MISS))
			}
			if got := told(t, p); len(got) != 0 {
				t.Errorf("%d hits, round %d: told of %v too early", hits, round, got)
			}
			p.try(t, a, Pass, Exit(xdpExitPASS_MISS))
			if got := told(t, p); len(got) != 1 || got[keyA] != 1 {
				t.Errorf("%d hits, round %d: told of %v, want %s once", hits, round, got, keyA)
			}
		}
		for range 2 * hits {
			p.try(t, b, Pass, Exit(xdpExitPASS_MISS))
		}
		if got := told(t, p); len(got) != 1 || got[keyB] != 2 {
			t.Errorf("%d hits: told of %v, want %s twice", hits, got, keyB)
		}
		if err := p.SetMinHits(0); err != nil {
			t.Fatal(err)
		}
		for range hits {
			p.try(t, a, Pass, Exit(xdpExitPASS_MISS))
		}
		if got := told(t, p); len(got) != 0 {
			t.Errorf("switched off, told of %v", got)
		}
	}
}

// A flood of names that are asked for once is not told of, and does not keep it from telling of others.
func TestRootNomineesFlood(t *testing.T) {
	p := load(t, Options{Entries: 16})
	if err := p.SetMinHits(4); err != nil {
		t.Fatal(err)
	}
	hot := frame(client4, server4, query("www.example.", wire.TypeA, 0, 0, false))
	for i := range 50000 {
		if i%5000 == 0 {
			p.Try(hot)
		}
		p.Try(frame(client4, server4, query(fmt.Sprintf("r%d.example.", i), wire.TypeA, 0, 0, false)))
	}
	got := told(t, p)
	if want := fmt.Sprintf("%x 1 false false", []byte(dnametest.Name("www.example."))); got[want] != 2 || len(got) != 1 {
		t.Errorf("told of %v, want %s twice", got, want)
	}
}

// What has expired or was flushed is told of at once, and once a second.
func TestRootNomineesOutdated(t *testing.T) {
	p := load(t, Options{Entries: 16})
	if err := p.SetMinHits(100); err != nil {
		t.Fatal(err)
	}
	in := frame(client4, server4, query("www.example.", wire.TypeA, 0, 0, false))
	for _, c := range []struct {
		exit    Exit
		prepare func(a *Answer)
	}{
		{Exit(xdpExitPASS_EXPIRED), func(a *Answer) { a.Expires = p.now() }},
		{Exit(xdpExitPASS_FLUSHED), func(*Answer) {}},
	} {
		a := addressA(p.now())
		c.prepare(&a)
		p.publish(t, a)
		if c.exit == Exit(xdpExitPASS_FLUSHED) {
			if err := p.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		began := p.now()
		for range 50 {
			p.try(t, in, Pass, c.exit)
		}
		got, most := told(t, p), int(p.now()-began)+1
		if n := got[fmt.Sprintf("%x 1 false false", []byte(dnametest.Name("www.example.")))]; n < 1 || n > most || len(got) != 1 {
			t.Errorf("%v: told of %v, want the name once a second", c.exit, got)
		}
	}
}

// A full ring forgets what there is no room for, and works again afterwards.
func TestRootNomineesFull(t *testing.T) {
	p := load(t, Options{Entries: 16})
	if err := p.SetMinHits(1); err != nil {
		t.Fatal(err)
	}
	in := frame(client4, server4, query("www.example.", wire.TypeA, 0, 0, false))
	if n := p.Waiting(); n != 0 {
		t.Errorf("%d wait before any was told of", n)
	}
	const more = 30000 // than the ring holds
	for range more {
		p.Try(in)
	}
	waiting := p.Waiting()
	n := 0
	for _, k := range told(t, p) {
		n += k
	}
	if n < 20000 || n >= more || n != waiting {
		t.Errorf("told of %d of %d, and %d waited", n, more, waiting)
	}
	p.Try(in)
	if got := told(t, p); len(got) != 1 {
		t.Errorf("after a full ring: told of %v", got)
	}
}

func FuzzNominee(f *testing.F) {
	f.Add(make([]byte, nomineeLen))
	f.Add([]byte{3, 'w', 'w', 'w', 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		q, names, err := parseNominee(raw, []byte("before"))
		if err == nil && (len(q.Name) > MaxName || len(names) != len("before")+len(q.Name)) {
			t.Errorf("name of %d octets, %d in all", len(q.Name), len(names))
		}
		if string(names[:6]) != "before" {
			t.Error("wrote over other names")
		}
	})
}
