package wire

import (
	"testing"

	"github.com/miekg/dns"
)

func TestQueryParseSmoke(t *testing.T) {
	m := new(dns.Msg)
	m.SetQuestion("www.Example.com.", dns.TypeA)
	m.SetEdns0(1232, true)
	b, _ := m.Pack()
	var q Query
	if v := q.Parse(b); v != QueryOK || !q.EDNS || !q.DO || q.Name.String() != "www.Example.com." {
		t.Fatal(v, q)
	}
	var bl Builder
	bl.Reset(make([]byte, 1000), 1000)
	bl.Question(q.Name, TypeMX, ClassIN)
	for range 3 {
		bl.RR(Answer, q.Name, TypeMX, ClassIN, 3, append([]byte{0, 1}, q.Name...))
	}
	out := AppendEDE(AppendOPT(bl.Finish(), OPT{UDPSize: 1232}), 3, "hi")
	var g dns.Msg
	if err := g.Unpack(out); err != nil {
		t.Fatal(err)
	}
	t.Log(len(out), g.String())
	if err := g.Unpack(AppendError(nil, &q, RcodeRefused, FlagRA)); err != nil {
		t.Fatal(err)
	}
}
