package cache

import (
	"bytes"
	"strings"
	"testing"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

const soaRecord = "authority: example. 900 IN SOA ns.example. host.example. 1 7200 900 1209600 300"

// TestReply looks at every part of a reply that differs from the stored response.
func TestReply(t *testing.T) {
	bothEngines(t, func(t *testing.T, a *Answers) {
		k := keyOf("www.example.", wire.TypeA)
		msg := response(&k, wire.RcodeNoError,
			"answer: www.example. 300 IN CNAME Web.example.",
			"answer: web.example. 60 IN A 192.0.2.1",
			"authority: example. 86400 IN NS ns.example.",
			"additional: ns.example. 20 IN A 192.0.2.53")
		wire.SetFlags(msg, wire.Flags(msg)|wire.FlagAA)
		a.mustPut(t, &k, msg, Meta{AD: true, EDE: wire.EDEForgedAnswer}, 100, Stored)

		var h Hit
		asked := keyOf("wWw.eXample.", wire.TypeA)
		for i := range uint32(2) {
			if s := a.Lookup(a.Hash(&asked), &asked, 140, &h); s != Fresh {
				t.Fatalf("Lookup = %v", s)
			}
			want := Hit{AD: true, AA: true, TTL: 20, OrigTTL: 60, Hits: i + 1, EDE: wire.EDEForgedAnswer}
			got := h
			got.age, got.counts, got.ttls, got.body = 0, 0, nil, nil
			if got.Rcode != want.Rcode || got.AD != want.AD || got.AA != want.AA || got.TTL != want.TTL ||
				got.OrigTTL != want.OrigTTL || got.Hits != want.Hits || got.EDE != want.EDE || got.Held {
				t.Fatalf("hit %+v, want %+v", got, want)
			}
		}
		q := query(t, "wWw.eXample.", &asked, 0xBEEF)
		prefix := []byte("xy")
		reply := a.AppendReply(prefix, &h, q, wire.FlagQR|wire.FlagRD|wire.FlagRA|7, 0)
		if !bytes.HasPrefix(reply, prefix) {
			t.Fatal("dst was not appended to")
		}
		reply = reply[2:]
		if wire.ID(reply) != 0xBEEF || wire.Flags(reply) != wire.FlagQR|wire.FlagRD|wire.FlagRA {
			t.Errorf("ID %x, flags %x", wire.ID(reply), wire.Flags(reply))
		}
		if !bytes.Equal(reply[12:q.End], q.Msg[12:q.End]) {
			t.Error("the question is not the client's")
		}
		if got, want := text(t, reply), `answer: wWw.eXample. 260 IN CNAME Web.example.
answer: web.example. 20 IN A 192.0.2.1
authority: eXample. 86360 IN NS ns.example.
additional: ns.example. 0 IN A 192.0.2.53
`; !strings.EqualFold(got, want) || !strings.HasPrefix(got, want[:30]) {
			t.Errorf("got\n%swant\n%s", got, want)
		}

		// RFC 6840, section 5.8: AD only for those who ask.
		q.Flags |= wire.FlagAD
		if reply := a.AppendReply(nil, &h, q, wire.FlagQR, 0); wire.Flags(reply)&wire.FlagAD == 0 {
			t.Error("no AD for a query with AD")
		}
		if got := text(t, a.AppendReply(nil, &h, q, wire.FlagQR, 30)); strings.Count(got, " 30 IN") != 4 {
			t.Errorf("with staleTTL 30:\n%s", got)
		}
	})
}

// TestKeyParts: every part of a key but the letter case of its name tells entries apart.
func TestKeyParts(t *testing.T) {
	bothEngines(t, func(t *testing.T, a *Answers) {
		base := keyOf("www.example.", wire.TypeA)
		a.mustPut(t, &base, response(&base, wire.RcodeNoError, "answer: www.example. 300 IN A 192.0.2.1"), Meta{}, 0, Stored)
		for what, change := range map[string]func(k *Key){
			"name":  func(k *Key) { k.Name = dnametest.Name("w.example.") },
			"type":  func(k *Key) { k.Type = wire.TypeAAAA },
			"class": func(k *Key) { k.Class = wire.ClassCH },
			"DO":    func(k *Key) { k.DO = true },
			"CD":    func(k *Key) { k.CD = true },
			"view":  func(k *Key) { k.View = 1 },
			"none":  func(k *Key) {},
			"case":  func(k *Key) { k.Name = dnametest.Name("WWW.example.") },
		} {
			k := base
			change(&k)
			var h Hit
			want := Miss
			if what == "none" || what == "case" {
				want = Fresh
			}
			if got := a.Lookup(a.Hash(&k), &k, 0, &h); got != want {
				t.Errorf("other %s: %v, want %v", what, got, want)
			}
			if want == Miss && a.Hash(&k) == a.Hash(&base) {
				t.Errorf("other %s: same hash", what)
			}
		}
	})
}

// TestStale follows an answer through its life (RFC 8767) with a refresh that fails.
func TestStale(t *testing.T) {
	bothEngines(t, func(t *testing.T, a *Answers) {
		k := keyOf("www.example.", wire.TypeA)
		good := response(&k, wire.RcodeNoError, "answer: www.example. 60 IN A 192.0.2.1")
		bad := response(&k, wire.RcodeServFail)
		var h Hit
		expect := func(now uint32, want State, held bool) {
			t.Helper()
			if got := a.Lookup(a.Hash(&k), &k, now, &h); got != want || got != Miss && h.Held != held {
				t.Fatalf("second %d: %v, held %v; want %v, %v", now, got, h.Held, want, held)
			}
		}
		a.mustPut(t, &k, good, Meta{}, 0, Stored)
		expect(59, Fresh, false)
		expect(60, Stale, false)
		a.mustPut(t, &k, bad, Meta{TTL: 30}, 70, Kept)
		expect(99, Stale, true)
		expect(100, Stale, false)
		expect(1059, Stale, false)
		expect(1060, Miss, false)

		// With nothing left to serve, the failure is cached, and is no stale answer later (RFC 9520).
		a.mustPut(t, &k, bad, Meta{TTL: 10_000, EDE: wire.EDENetworkError}, 2000, Stored)
		expect(2299, Fresh, false)
		if h.Rcode != wire.RcodeServFail || h.EDE != wire.EDENetworkError || h.OrigTTL != 300 {
			t.Errorf("cached failure: %+v", h)
		}
		expect(2300, Miss, false)
		a.mustPut(t, &k, bad, Meta{TTL: 30}, 2300, Stored)
		a.mustPut(t, &k, good, Meta{}, 2310, Stored) // replaces the failure
		expect(2311, Fresh, false)
		if h.Rcode != wire.RcodeNoError {
			t.Errorf("rcode %v", h.Rcode)
		}
	})
}

// TestStaleIsNotAuthentic serves a validated answer whose TTL, and perhaps its signatures, have run out.
func TestStaleIsNotAuthentic(t *testing.T) {
	bothEngines(t, func(t *testing.T, a *Answers) {
		k := keyOf("www.example.", wire.TypeA)
		a.mustPut(t, &k, response(&k, wire.RcodeNoError, "answer: www.example. 60 IN A 192.0.2.1"), Meta{AD: true}, 0, Stored)
		q := query(t, "www.example.", &k, 1)
		q.DO = true
		for now, want := range map[uint32]bool{0: true, 59: true, 60: false, 500: false} {
			var h Hit
			if a.Lookup(a.Hash(&k), &k, now, &h) == Miss {
				t.Fatalf("second %d: not found", now)
			}
			if reply := a.AppendReply(nil, &h, q, wire.FlagQR, 30); wire.Flags(reply)&wire.FlagAD != 0 != want || h.AD != want {
				t.Errorf("second %d: AD %v", now, !want)
			}
		}
		a.mustPut(t, &k, response(&k, wire.RcodeServFail), Meta{TTL: 30}, 70, Kept) // a refresh that fails
		var h Hit
		if a.Lookup(a.Hash(&k), &k, 80, &h) != Stale || h.AD {
			t.Errorf("held: AD %v", h.AD)
		}
	})
}

// TestInspect shows an entry without counting a hit.
func TestInspect(t *testing.T) {
	bothEngines(t, func(t *testing.T, a *Answers) {
		k := keyOf("www.example.", wire.TypeA)
		if _, ok := a.Inspect(&k, 0); ok {
			t.Fatal("found in an empty cache")
		}
		a.mustPut(t, &k, response(&k, wire.RcodeNoError, "answer: www.example. 60 IN A 192.0.2.1"), Meta{AD: true}, 10, Stored)
		for range 2 {
			i, ok := a.Inspect(&k, 30)
			if !ok || i.State != Fresh || i.TTL != 40 || i.Age != 20 || i.Hits != 0 || !i.AD {
				t.Fatalf("%+v, %v", i, ok)
			}
			if got := text(t, i.Message); got != "answer: www.example. 40 IN A 192.0.2.1\n" {
				t.Errorf("message\n%s", got)
			}
		}
		if i, ok := a.Inspect(&k, 100); !ok || i.State != Stale || i.Age != 90 {
			t.Errorf("%+v, %v", i, ok)
		}
	})
}

// TestMemoryLimits: too little memory is an error, and ristretto's limit may stand in for the memory.
func TestMemoryLimits(t *testing.T) {
	for _, c := range []struct {
		o  AnswersOptions
		ok bool
	}{
		{AnswersOptions{}, false},
		{AnswersOptions{Memory: make([]byte, MinMemory-1)}, false},
		{AnswersOptions{Memory: make([]byte, MinMemory)}, true},
		{AnswersOptions{Engine: EngineRistretto}, false},
		{AnswersOptions{Engine: EngineRistretto, MemoryLimit: MinMemory}, true},
		{AnswersOptions{Engine: EngineRistretto, Memory: make([]byte, MinMemory)}, true},
		{AnswersOptions{Engine: 9, Memory: make([]byte, MinMemory)}, false},
	} {
		a, err := NewAnswers(c.o)
		if (err == nil) != c.ok {
			t.Errorf("engine %d, %d bytes, limit %d: %v", c.o.Engine, len(c.o.Memory), c.o.MemoryLimit, err)
		}
		if err == nil {
			a.Close()
		}
	}
}
