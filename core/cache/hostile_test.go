package cache

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// raw builds a response by hand: header with the given counts, the question of k, and octets.
func raw(k *Key, an, ns, ar uint16, rest ...[]byte) []byte {
	msg := wire.AppendQuery(nil, 0, wire.FlagQR, k.Name, k.Type, k.Class)
	msg = setCount(setCount(setCount(msg, wire.Answer, an), wire.Authority, ns), wire.Additional, ar)
	for _, b := range rest {
		msg = append(msg, b...)
	}
	return msg
}

// record is a record with the owner and RDATA octets as given.
func record(owner string, t wire.Type, ttl uint32, rdata string) []byte {
	b := []byte(owner)
	b = binary.BigEndian.AppendUint16(b, uint16(t))
	b = binary.BigEndian.AppendUint16(b, uint16(wire.ClassIN))
	b = binary.BigEndian.AppendUint32(b, ttl)
	b = binary.BigEndian.AppendUint16(b, uint16(len(rdata)))
	return append(b, rdata...)
}

// TestCompression: wherever pointers lead in the response, the reply says the same.
func TestCompression(t *testing.T) {
	k := keyOf("www.example.", wire.TypeANY) // question at 12, example at 16, records from 29
	const toQname, toExample = "\xC0\x0C", "\xC0\x10"
	for what, msg := range map[string][]byte{
		"owner and rdata to the question": raw(&k, 1, 0, 0, record(toQname, wire.TypeCNAME, 60, "\x03web"+toExample)),
		"no compression":                  raw(&k, 1, 0, 0, record(string(k.Name), wire.TypeCNAME, 60, "\x03web\x07example\x00")),
		"owner in other case":             raw(&k, 1, 0, 0, record("\x03wWw\x07eXample\x00", wire.TypeA, 60, "\x01\x02\x03\x04")),
		"to an earlier rdata": raw(&k, 2, 0, 0,
			record(toQname, wire.TypeCNAME, 60, "\x03web\x03net\x00"), record("\xC0\x29", wire.TypeA, 60, "\x01\x02\x03\x04")),
		"into a label of an earlier rdata": raw(&k, 2, 0, 0,
			record(toQname, wire.TypeTXT, 60, "\x03\x01x\x00"), record("\xC0\x2A", wire.TypeA, 60, "\x01\x02\x03\x04")),
		"pointer to pointer": raw(&k, 2, 0, 0,
			record(toQname, wire.TypeNS, 60, toExample), record("\x01a\xC0\x29", wire.TypeNS, 60, "\xC0\x29")),
		"into a TTL": raw(&k, 2, 0, 0,
			record(toQname, wire.TypeNS, 0x01610000, toExample), record("\xC0\x21", wire.TypeNS, 60, toQname)),
		"into the header":     raw(&k, 1, 0, 0, record("\xC0\x05", wire.TypeNS, 60, "\xC0\x00")),
		"SOA, MX and SRV":     raw(&k, 1, 1, 1, record(toQname, wire.TypeMX, 60, "\x00\x05"+toExample), record(toExample, wire.TypeSOA, 60, "\x02ns"+toExample+"\x01h"+toExample+strings.Repeat("\x00\x00\x01\x00", 5)), record(toExample, wire.TypeSRV, 60, "\x00\x01\x00\x02\x00\x03\x03srv"+toExample)),
		"unknown types":       raw(&k, 2, 0, 0, record(toQname, 65280, 60, "\xC0\x0C\x00\xFF"), record(toQname, 65281, 60, "")),
		"empty answer to ANY": raw(&k, 0, 1, 0, record(toExample, wire.TypeSOA, 60, "\x00\x00"+strings.Repeat("\x00\x00\x01\x00", 5))),
		"root owners":         raw(&k, 1, 0, 1, record("\x00", wire.TypeNS, 60, "\x00"), record("\x00", wire.TypeA, 60, "\x01\x02\x03\x04")),
	} {
		t.Run(what, func(t *testing.T) {
			a := testAnswers(t, AnswersOptions{})
			built, ok := rebuilt(msg)
			if !ok {
				t.Fatal("cannot be read")
			}
			a.mustPut(t, &k, built, Meta{}, 0, Stored)
			var h Hit
			if a.Lookup(a.Hash(&k), &k, 9, &h) != Fresh {
				t.Fatal("not found")
			}
			// The reply has other octets in its header, TTLs and qname than the response had.
			reply := a.AppendReply(nil, &h, query(t, "WWW.EXAMPLE.", &k, 0xFFFF), 0xFFF0, 0)
			if err := sameRecords(msg, reply); err != nil {
				t.Errorf("%v\n%x\n%x", err, msg, reply)
			}
		})
	}
}

// TestUncacheable: what is no whole message, or answers something else, is not kept and does no harm.
func TestUncacheable(t *testing.T) {
	a := testAnswers(t, AnswersOptions{})
	k := keyOf("www.example.", wire.TypeA)
	other := keyOf("www.example.org.", wire.TypeA)
	good := response(&k, wire.RcodeNoError, "answer: www.example. 60 IN A 192.0.2.1")
	flags := func(set, clear uint16) []byte {
		m := bytes.Clone(good)
		wire.SetFlags(m, wire.Flags(m)&^clear|set)
		return m
	}
	address := record("\xC0\x0C", wire.TypeA, 60, "\x01\x02\x03\x04")
	for what, msg := range map[string][]byte{
		"nothing":             nil,
		"short header":        good[:11],
		"header only":         good[:12],
		"cut in the question": good[:20],
		"cut in the record":   good[:len(good)-1],
		"octets behind":       append(bytes.Clone(good), 0),
		"no response":         flags(0, wire.FlagQR),
		"truncated":           flags(wire.FlagTC, 0),
		"other opcode":        flags(4<<11, 0),
		"no question":         setCount(good, wire.Question, 0),
		"two questions":       setCount(good, wire.Question, 2),
		"too many records":    setCount(good, wire.Additional, 65535),
		"other name":          response(&other, wire.RcodeNoError, "answer: www.example.org. 60 IN A 192.0.2.1"),
		"other type":          raw(&Key{Name: k.Name, Type: wire.TypeAAAA, Class: wire.ClassIN}, 1, 0, 0, address),
		"other class":         raw(&Key{Name: k.Name, Type: wire.TypeA, Class: wire.ClassCH}, 1, 0, 0, address),
		"OPT":                 wire.AppendOPT(bytes.Clone(good), wire.OPT{UDPSize: 1232}),
		"TTL above 2^31":      raw(&k, 1, 0, 0, record("\xC0\x0C", wire.TypeA, 1<<31, "\x01\x02\x03\x04")), // RFC 2181: 0
	} {
		if got := a.Put(a.Hash(&k), &k, msg, Meta{}, 0); got != Uncacheable {
			t.Errorf("%s: Put = %v", what, got)
		}
	}
	axfr := Key{Name: k.Name, Type: wire.TypeAXFR, Class: wire.ClassIN}
	if got := a.Put(a.Hash(&axfr), &axfr, raw(&axfr, 1, 0, 0, address), Meta{TTL: 60}, 0); got != Uncacheable {
		t.Errorf("AXFR: Put = %v", got)
	}
	if n := a.Stats().Store.Entries; n != 0 {
		t.Errorf("%d entries", n)
	}
}

// TestTooLarge: an answer is kept up to MaxEntry, and served by the caller beyond.
func TestTooLarge(t *testing.T) {
	for engine := range EngineRistretto + 1 {
		a := testAnswers(t, AnswersOptions{Engine: engine, MaxEntry: 4000, Memory: make([]byte, 16<<20)})
		k := keyOf("www.example.", wire.TypeTXT)
		for _, n := range []int{1, 10, 15, 16, 100, 650} { // 650 records fill 65,000 octets
			var rest [][]byte
			for range n {
				rest = append(rest, record("\xC0\x0C", wire.TypeTXT, 60, "\xEA"+strings.Repeat("x", 234)))
			}
			if n == 650 {
				rest = rest[:265]
			}
			want := Stored
			if n > 15 {
				want = TooLarge
			}
			a.mustPut(t, &k, raw(&k, uint16(len(rest)), 0, 0, rest...), Meta{}, 0, want)
		}
	}
}

// TestNameLengths: names of all lengths and many types keep their answers apart.
func TestNameLengths(t *testing.T) {
	a := testAnswers(t, AnswersOptions{})
	n := dname.Name{0}
	for len(n)+2 <= dname.MaxLen {
		k := Key{Name: n, Type: wire.TypeA, Class: wire.ClassIN}
		a.mustPut(t, &k, raw(&k, 1, 0, 0, record("\xC0\x0C", wire.TypeA, 60, fmt.Sprintf("%04d", len(n)))), Meta{}, 0, Stored)
		n = append(dname.Name{1, 'X'}, n...)
	}
	for ; len(n) > 1; n = n.Parent() {
		k := Key{Name: n.Parent(), Type: wire.TypeA, Class: wire.ClassIN}
		var h Hit
		if a.Lookup(a.Hash(&k), &k, 0, &h) != Fresh || !bytes.HasSuffix(h.body, fmt.Appendf(nil, "%04d", len(k.Name))) {
			t.Fatalf("name of %d octets: %x", len(k.Name), h.body)
		}
	}
}

// FuzzPut puts what a Builder makes of any octets that can be read. What is stored comes back: the reply parses and has the
// records of the response, TTLs no longer than they were, the question as asked.
func FuzzPut(f *testing.F) {
	k := keyOf("www.example.", wire.TypeA)
	f.Add(response(&k, wire.RcodeNoError, "answer: www.example. 300 IN CNAME Web.example.", "answer: web.example. 60 IN A 192.0.2.1"), uint32(0), uint32(7))
	f.Add(response(&k, wire.RcodeNXDomain, soaRecord), uint32(0), uint32(100))
	f.Add(response(&k, wire.RcodeServFail), uint32(30), uint32(100))
	f.Add(raw(&k, 2, 0, 0, record("\xC0\x0C", wire.TypeTXT, 60, "\x03\x01x\x00"), record("\xC0\x2A", 65280, 60, "\xC0\x0C")), uint32(0), uint32(1))
	a := testAnswers(f, AnswersOptions{Memory: make([]byte, 1<<20)})
	f.Fuzz(func(t *testing.T, msg []byte, ttl, wait uint32) {
		var r wire.Reader
		k := Key{Name: dnametest.Name("www.example."), Type: wire.TypeA, Class: wire.ClassIN}
		if r.Reset(msg) {
			off, qtype, qclass := r.Question()
			if n, _, ok := dname.Unpack(nil, msg, off); ok {
				k = Key{Name: n, Type: qtype, Class: qclass}
			}
		}
		hash := a.Hash(&k)
		const now = 1 << 20
		built, ok := rebuilt(msg)
		if !ok || a.Put(hash, &k, built, Meta{TTL: ttl}, now) != Stored {
			return
		}
		var h Hit
		wait %= 100_000
		state := a.Lookup(hash, &k, now+wait, &h)
		if (state == Fresh) != (wait < h.OrigTTL) {
			t.Fatalf("%v after %d s, TTL %d", state, wait, h.OrigTTL)
		}
		if state == Miss {
			return
		}
		asked := Key{Name: shout(k.Name), Type: k.Type, Class: k.Class}
		q := wire.Query{Msg: wire.AppendQuery(nil, 0xA55A, 0, asked.Name, k.Type, k.Class)}
		q.End = len(q.Msg)
		reply := a.AppendReply(nil, &h, &q, 0xFFF0, 0)
		if !bytes.Equal(reply[12:q.End], q.Msg[12:]) || wire.ID(reply) != 0xA55A {
			t.Fatalf("question or ID %x", reply)
		}
		if err := sameRecords(msg, reply); err != nil {
			t.Fatalf("%v\n%x\n%x", err, msg, reply)
		}
	})
}

// shout is n with every second octet that is a letter in upper case.
func shout(n dname.Name) dname.Name {
	out := bytes.Clone(n)
	for i, c := range out {
		if i%2 == 0 && 'a' <= c && c <= 'z' {
			out[i] = c - 'a' + 'A'
		}
	}
	return out
}

// TestMutations flips octets of good responses, which finds more than random octets in little time.
func TestMutations(t *testing.T) {
	a := testAnswers(t, AnswersOptions{Memory: make([]byte, 1<<20)})
	k := keyOf("www.example.", wire.TypeA)
	good := response(&k, wire.RcodeNoError, "answer: www.example. 300 IN CNAME Web.example.",
		"answer: web.example. 60 IN A 192.0.2.1", "authority: example. 60 IN NS ns.example.",
		"authority: example. 60 IN SOA ns.example. host.example. 1 7200 900 1209600 300",
		"additional: ns.example. 60 IN A 192.0.2.1", "additional: ns.example. 60 IN TXT a b")
	rnd := rand.New(rand.NewPCG(5, 5))
	stored := 0
	for range 100_000 {
		msg := bytes.Clone(good)
		for range 1 + rnd.IntN(3) {
			msg[rnd.IntN(len(msg))] = [...]byte{0, 1, 0xC0, 12, byte(rnd.Uint32())}[rnd.IntN(5)]
		}
		msg = msg[:len(msg)-rnd.IntN(2)*rnd.IntN(20)]
		built, ok := rebuilt(msg)
		if !ok || a.Put(a.Hash(&k), &k, built, Meta{}, 5) != Stored {
			continue
		}
		stored++
		var h Hit
		if a.Lookup(a.Hash(&k), &k, 6, &h) == Miss {
			t.Fatal("not found")
		}
		reply := a.AppendReply(nil, &h, query(t, "WwW.ExAmPlE.", &k, 0xFFFF), 0xFFF0, 0)
		if err := sameRecords(msg, reply); err != nil {
			t.Fatalf("%v\n%x\n%x", err, msg, reply)
		}
	}
	if stored < 1000 {
		t.Errorf("only %d mutations were stored", stored)
	}
}
