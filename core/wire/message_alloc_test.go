package wire

import (
	"bytes"
	"testing"

	"heimdall/core/dname/dnametest"
)

func TestAllocs(t *testing.T) {
	query := benchQueries(t)["cookie"]
	msg := benchResponse(t)
	name := dnametest.Name("mail.example.com.")
	rdata := append([]byte{0, 10}, name...)
	var (
		q    Query
		r    Reader
		rr   RR
		b    Builder
		buf  = make([]byte, 4096)
		work = make([]byte, 4096)
	)
	for _, c := range []struct {
		name string
		fn   func()
	}{
		{"Query.Parse", func() { q.Parse(query) }},
		{"AppendError", func() { AppendError(buf[:0], &q, RcodeRefused, FlagRA) }},
		{"AppendQuery", func() { AppendQuery(buf[:0], 1, FlagRD, name, TypeA, ClassIN) }},
		{"AppendOPT", func() {
			out := AppendOPT(append(buf[:0], msg...), OPT{UDPSize: 1232})
			out = AppendOption(out, OptionCookie, q.Cookie)
			AppendEDE(out, EDEStaleAnswer, "a text of more than sixty-four octets, so that it has to be clipped")
		}},
		{"Reader", func() {
			r.Reset(msg)
			for s, ok := r.Next(&rr); ok; s, ok = r.Next(&rr) {
				if _, ok := UnpackRData(buf[:0], msg, &rr); !ok || s == Question {
					t.Fatal("bad record")
				}
			}
		}},
		{"CanonicalRData", func() { CanonicalRData(buf[:0], TypeMX, rdata) }},
		{"Builder", func() {
			b.Reset(buf, len(buf))
			b.Header(1, FlagQR)
			b.Question(name, TypeMX, ClassIN)
			mark := b.Mark()
			b.RR(Answer, name, TypeMX, ClassIN, 300, rdata)
			b.Rollback(mark)
			b.RR(Answer, name, TypeMX, ClassIN, 300, rdata)
			b.Finish()
		}},
		{"Truncate", func() { Truncate(append(work[:0], msg...), 100) }},
	} {
		if n := testing.AllocsPerRun(100, c.fn); n != 0 {
			t.Errorf("%s allocates %v times", c.name, n)
		}
	}
	if !bytes.Equal(msg, benchResponse(t)) {
		t.Error("the response was written to")
	}
}
