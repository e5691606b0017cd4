package wire

import (
	"strings"
	"testing"

	"heimdall/core/dname/dnametest"
)

func TestTypeText(t *testing.T) {
	for typ := range Type(0xFFFF) {
		for _, s := range []string{typ.String(), strings.ToLower(typ.String())} {
			if got, err := ParseType(s); err != nil || got != typ {
				t.Fatalf("ParseType(%q) = %v, %v; want %d", s, got, err, typ)
			}
		}
	}
	for _, s := range []string{"", "NOPE", "TYPE", "TYPE65536", "TYPE-1", "TYPE+1", "None"} {
		if got, err := ParseType(s); err == nil {
			t.Errorf("ParseType(%q) = %v", s, got)
		}
	}
	if got, err := ParseType("TYPE1"); err != nil || got != TypeA {
		t.Errorf("ParseType(TYPE1) = %v, %v", got, err)
	}
}

func TestClassText(t *testing.T) {
	for c := range Class(0xFFFF) {
		if got, err := ParseClass(strings.ToLower(c.String())); err != nil || got != c {
			t.Fatalf("ParseClass(%v) = %v, %v; want %d", c, got, err, c)
		}
	}
	if got, err := ParseClass("NOPE"); err == nil {
		t.Errorf("ParseClass(NOPE) = %v", got)
	}
}

func TestCodeText(t *testing.T) {
	for got, want := range map[string]string{
		RcodeNXDomain.String(): "NXDOMAIN", RcodeBadVers.String(): "BADVERS", Rcode(3000).String(): "RCODE3000",
		OpcodeNotify.String(): "NOTIFY", Opcode(15).String(): "OPCODE15", EDEStaleAnswer.String(): "Stale Answer",
		EDE(3000).String(): "extended error 3000", Authority.String(): "authority", QueryBadVers.String(): "badvers",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestAppendRRText(t *testing.T) {
	text := func(typ Type, ttl uint32, rdata string) string {
		msg := appendRR(AppendQuery(nil, 1, FlagQR, dnametest.Name("a."), typ, ClassIN), Answer, dnametest.Name("A."), typ, ClassIN,
			ttl, []byte(rdata))
		var r Reader
		var rr RR
		r.Reset(msg)
		r.Next(&rr)
		return string(AppendRRText([]byte("> "), msg, &rr))
	}
	for got, want := range map[string]string{
		text(TypeA, 300, "\xc0\x00\x02\x01"):   "> A.\t300\tIN\tA\t192.0.2.1",
		text(TypeA, 1<<31, "\xc0\x00\x02\x01"): "> A.\t0\tIN\tA\t192.0.2.1",
		text(TypeNS, 1, "\xc0\x0c"):            "> A.\t1\tIN\tNS\ta.",
		text(TypeA, 1, "abc"):                  "> A.\t1\tIN\tA\t\\# 3 616263",
		text(65280, 1, ""):                     "> A.\t1\tIN\tTYPE65280\t\\# 0",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
