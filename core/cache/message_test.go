package cache

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// testAnswers returns an answer cache with the given engine and StaleTTL 1000.
func testAnswers(t testing.TB, o AnswersOptions) *Answers {
	t.Helper()
	o.Seed = 42
	if o.Memory == nil {
		o.Memory = make([]byte, 4<<20)
	}
	if o.MemoryLimit == 0 {
		o.MemoryLimit = 4 << 20
	}
	if o.StaleTTL == 0 {
		o.StaleTTL = 1000
	}
	a, err := NewAnswers(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// bothEngines runs a test with each engine.
func bothEngines(t *testing.T, fn func(t *testing.T, a *Answers)) {
	for name, e := range map[string]Engine{"segment": EngineSegment, "ristretto": EngineRistretto} {
		t.Run(name, func(t *testing.T) { fn(t, testAnswers(t, AnswersOptions{Engine: e})) })
	}
}

// keyOf is the key of a question for a name of class IN.
func keyOf(s string, t wire.Type) Key {
	return Key{Name: dnametest.Name(s), Type: t, Class: wire.ClassIN}
}

// response builds a compressed response to the key. Each record is "section: text in presentation form".
func response(k *Key, rcode wire.Rcode, records ...string) []byte {
	m := new(dns.Msg)
	m.SetQuestion(k.Name.String(), uint16(k.Type))
	m.Question[0].Qclass = uint16(k.Class)
	m.Response, m.Rcode, m.Compress = true, int(rcode), true
	for _, r := range records {
		section, text, _ := strings.Cut(r, ": ")
		rr, err := dns.NewRR(text)
		if err != nil {
			panic(err)
		}
		switch section {
		case "answer":
			m.Answer = append(m.Answer, rr)
		case "authority":
			m.Ns = append(m.Ns, rr)
		case "additional":
			m.Extra = append(m.Extra, rr)
		default:
			panic("section " + section)
		}
	}
	msg, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return msg
}

// put stores a response and waits until the engine has it.
func (a *Answers) mustPut(t testing.TB, k *Key, msg []byte, m Meta, now uint32, want PutResult) {
	t.Helper()
	if got := a.Put(a.Hash(k), k, msg, m, now); got != want {
		t.Fatalf("Put = %d, want %d", got, want)
	}
	if a.heap != nil {
		a.heap.cache.Wait()
	}
}

// query is a parsed query for the key, its name in the letter case of s.
func query(t testing.TB, s string, k *Key, id uint16) *wire.Query {
	t.Helper()
	msg := wire.AppendQuery(nil, id, wire.FlagRD, dnametest.Name(s), k.Type, k.Class)
	if k.DO {
		msg = wire.AppendOPT(msg, wire.OPT{UDPSize: 1232, DO: true})
	}
	q := new(wire.Query)
	if v := q.Parse(msg); v != wire.QueryOK {
		t.Fatalf("query for %s: %v", s, v)
	}
	return q
}

// text is a message's sections as text, one record a line.
func text(t testing.TB, msg []byte) string {
	t.Helper()
	m := new(dns.Msg)
	if err := m.Unpack(msg); err != nil {
		t.Fatalf("unpack reply: %v\n%x", err, msg)
	}
	var b strings.Builder
	for i, rrs := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for _, rr := range rrs {
			fmt.Fprintf(&b, "%s: %s\n", wire.Section(i+1), strings.ReplaceAll(rr.String(), "\t", " "))
		}
	}
	return b.String()
}

// sameRecords compares the records of two messages, letter case and TTLs aside.
func sameRecords(a, b []byte) error {
	var ra, rb wire.Reader
	if !ra.Reset(a) || !rb.Reset(b) {
		return fmt.Errorf("header or question unreadable")
	}
	for {
		var x, y wire.RR
		sx, okx := ra.Next(&x)
		sy, oky := rb.Next(&y)
		if okx != oky {
			return fmt.Errorf("one message has more records")
		}
		if !okx {
			break
		}
		if sx != sy || x.Type != y.Type || x.Class != y.Class {
			return fmt.Errorf("record %v %v became %v %v", sx, x.Type, sy, y.Type)
		}
		nx, _, okx := dname.Unpack(nil, a, x.Owner)
		ny, _, oky := dname.Unpack(nil, b, y.Owner)
		if !okx || !oky || !dname.Equal(nx, ny) {
			return fmt.Errorf("owner %x became %x", nx, ny)
		}
		dx, okx := wire.UnpackRData(nil, a, &x)
		dy, oky := wire.UnpackRData(nil, b, &y)
		if !okx || !oky || !bytes.Equal(lower(dx), lower(dy)) {
			return fmt.Errorf("%v RDATA %x became %x", x.Type, dx, dy)
		}
	}
	if ra.Err() || rb.Err() {
		return fmt.Errorf("malformed: %v, %v", ra.Err(), rb.Err())
	}
	return nil
}

// lower is b with ASCII letters in lower case.
func lower(b []byte) []byte {
	out := bytes.Clone(b)
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return out
}

// setCount overwrites the count of a section.
func setCount(msg []byte, section wire.Section, n uint16) []byte {
	out := bytes.Clone(msg)
	binary.BigEndian.PutUint16(out[4+2*int(section):], n)
	return out
}
