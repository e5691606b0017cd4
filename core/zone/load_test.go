package zone_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/wire"
	"heimdall/core/zone"
	"heimdall/core/zonefile"
)

// load builds a zone from a master file.
func load(t testing.TB, origin string, src io.Reader, o zone.Options) (*zone.Zone, []zone.Problem) {
	t.Helper()
	name, err := dname.ParseText(nil, origin)
	if err != nil {
		t.Fatal(err)
	}
	b := zone.NewBuilder(name, o)
	if err := readInto(b, src); err != nil {
		t.Fatal(err)
	}
	return b.Finish(nil)
}

// readInto adds the records of a master file to b.
func readInto(b *zone.Builder, src io.Reader) error {
	return zonefile.Read(src, zonefile.Options{Name: "test"}, func(r *zonefile.Record) error {
		return b.Add(r.Owner, r.Type, r.Class, r.TTL, r.RData)
	})
}

// set loads zones, each from a text whose first record is its SOA.
func set(t testing.TB, texts ...string) *zone.Set {
	t.Helper()
	var zones []*zone.Zone
	for _, text := range texts {
		z, problems := load(t, strings.Fields(text)[0], strings.NewReader(text), zone.Options{})
		if z == nil {
			t.Fatal(problems)
		}
		zones = append(zones, z)
	}
	return zone.NewSet(zones)
}

// query parses a query as a client would send it.
func query(t testing.TB, name string, qtype uint16, do bool) *wire.Query {
	t.Helper()
	m := new(dns.Msg)
	m.Id = 4711
	m.Question = []dns.Question{{Name: name, Qtype: qtype, Qclass: dns.ClassINET}}
	if do {
		m.SetEdns0(1232, true)
	}
	msg, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	q := new(wire.Query)
	if v := q.Parse(msg); v != wire.QueryOK {
		t.Fatalf("%s: query is %v", name, v)
	}
	return q
}

// ask returns the set's response, nil if it has no zone for it.
func ask(t testing.TB, s *zone.Set, q *wire.Query, limit int) *dns.Msg {
	t.Helper()
	prefix := []byte("what the caller has there already")
	msg, rcode, ok := s.AppendReply(append(make([]byte, 0, len(prefix)+limit), prefix...), q, limit, wire.FlagQR)
	if !ok {
		if len(msg) != len(prefix) {
			t.Fatal("dst changed without a response")
		}
		return nil
	}
	msg = msg[len(prefix):]
	// A prefetched query is answered alike.
	refs := []zone.Ref{{}, s.Locate(q)}
	zone.Prefetch(refs)
	if same, _, _ := s.AppendReplyAt(&refs[1], nil, q, limit, wire.FlagQR); !bytes.Equal(msg, same) {
		t.Fatalf("prefetched, the response to %s %s is another", q.Name, q.Type)
	}
	if len(msg) > limit {
		t.Fatalf("%d octets, more than %d", len(msg), limit)
	}
	m := new(dns.Msg)
	if err := m.Unpack(msg); err != nil {
		t.Fatalf("%s %s: unpack the response: %v\n%x", q.Name, q.Type, err, msg)
	}
	if m.Rcode != int(rcode) || !m.Response || m.Id != 4711 {
		t.Fatalf("header is %v, rcode %v returned", m.MsgHdr, rcode)
	}
	return m
}
