package dnssec

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// records parses master file text.
func records(t testing.TB, text string) []dns.RR {
	t.Helper()
	var rrs []dns.RR
	z := dns.NewZoneParser(strings.NewReader(text), ".", "")
	z.SetDefaultTTL(3600)
	for rr, ok := z.Next(); ok; rr, ok = z.Next() {
		rrs = append(rrs, rr)
	}
	if err := z.Err(); err != nil {
		t.Fatal(err)
	}
	return rrs
}

// rdata returns the RDATA of rr without compression.
func rdata(t testing.TB, rr dns.RR) []byte {
	t.Helper()
	buf := make([]byte, dns.Len(rr)+1)
	end, err := dns.PackRR(rr, buf, 0, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	skip, _ := dname.Skip(buf, 0)
	return buf[skip+10 : end]
}

// rrset makes an RRset of the records that are of one type, with the signatures among them.
func rrset(t testing.TB, rrs []dns.RR) *RRset {
	t.Helper()
	set := &RRset{}
	for _, rr := range rrs {
		if rr.Header().Rrtype == dns.TypeRRSIG {
			set.Sigs = append(set.Sigs, rdata(t, rr))
			continue
		}
		h := rr.Header()
		set.Owner, set.Type, set.Class, set.TTL = dnametest.Name(h.Name), wire.Type(h.Rrtype), wire.Class(h.Class), h.Ttl
		set.Data = append(set.Data, rdata(t, rr))
	}
	return set
}

// response makes a response of records in sections.
func response(t testing.TB, qname string, qtype uint16, rcode int, answer, authority string) *Response {
	t.Helper()
	m := new(dns.Msg)
	m.SetQuestion(qname, qtype)
	m.Rcode, m.Response = rcode, true
	m.Answer, m.Ns = records(t, answer), records(t, authority)
	return readMsg(t, m)
}

func readMsg(t testing.TB, m *dns.Msg) *Response {
	t.Helper()
	msg, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	r, ok := readResponse(msg)
	if !ok {
		t.Fatalf("readResponse refuses %v", m)
	}
	return r
}

// validator returns one for the time that the RRSIG presentation form gives.
func validator(t testing.TB, time string) *Validator {
	t.Helper()
	now, err := dns.StringToTime(time)
	if err != nil {
		t.Fatal(err)
	}
	p, b := DefaultPolicy(), DefaultBudget()
	return &Validator{Policy: &p, Now: int64(now), Budget: &b}
}

// zoneOf makes a Secure zone of keys that are trusted without asking.
func zoneOf(t testing.TB, v *Validator, rrs ...dns.RR) *Zone {
	t.Helper()
	set := rrset(t, rrs)
	return &Zone{Name: set.Owner, Result: Result{Status: Secure}, Keys: v.Policy.newKeySet(set.Owner, set), TTL: 3600}
}
