package health

import (
	"testing"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// response builds one with an extended error, in an OPT record that has another option before.
func response(rcode wire.Rcode, code wire.EDE) []byte {
	msg := wire.AppendQuery(nil, 1, wire.FlagQR|uint16(rcode), dname.Root(), wire.TypeNS, wire.ClassIN)
	msg = wire.AppendOPT(msg, wire.OPT{UDPSize: 1232, DO: true})
	msg = wire.AppendOption(msg, wire.OptionKeepAlive, []byte{0, 100})
	return wire.AppendEDE(msg, code, "why")
}

// An answer, and that there is no such name, are what a probe wants; a stale one of either is not.
func TestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		msg  []byte
		want string
	}{
		"answer":         {response(wire.RcodeNoError, wire.EDEOther), ""},
		"no such name":   {response(wire.RcodeNXDomain, wire.EDEOther), ""},
		"stale":          {response(wire.RcodeNoError, wire.EDEStaleAnswer), "it has only a stale answer"},
		"stale denial":   {response(wire.RcodeNXDomain, wire.EDEStaleNXDomain), "it has only a stale answer"},
		"failure":        {response(wire.RcodeServFail, wire.EDEStaleAnswer), "it answers SERVFAIL"},
		"without an OPT": {wire.AppendQuery(nil, 1, wire.FlagQR, dname.Root(), wire.TypeNS, wire.ClassIN), ""},
	} {
		r := readReply(c.msg)
		if got := r.fault(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// FuzzReadReply asserts that no message makes it panic, and that only one with an OPT record is stale.
func FuzzReadReply(f *testing.F) {
	f.Add(response(wire.RcodeNoError, wire.EDEStaleAnswer))
	f.Add(response(wire.RcodeNoError, wire.EDEOther)[:30])
	f.Fuzz(func(t *testing.T, msg []byte) {
		if len(msg) < wire.HeaderLen {
			return
		}
		if r := readReply(msg); r.stale && len(msg) < wire.HeaderLen+wire.OPTLen+6 {
			t.Fatalf("%x is stale", msg)
		}
	})
}
