package wire

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/miekg/dns"

	"heimdall/core/dname/dnametest"
)

// TestAppendOPT: another implementation reads the OPT record and its options.
func TestAppendOPT(t *testing.T) {
	msg := mustPack(t, []dns.RR{mustRR(t, "Example.com. 300 IN A 192.0.2.1")}, nil,
		[]dns.RR{mustRR(t, "a.Example.com. 300 IN A 192.0.2.1")})
	msg = AppendOPT(msg, OPT{UDPSize: 1232, Rcode: RcodeBadCookie, DO: true})
	msg = AppendOption(msg, OptionNSID, []byte("ns1"))
	// Data that looks like an OPT at the end of a message.
	msg = AppendOption(msg, OptionCookie, []byte("\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"))
	msg = AppendEDE(msg, EDEStaleAnswer, "old")
	SetFlags(msg, Flags(msg)|uint16(RcodeBadCookie)&RcodeMask)
	var m dns.Msg
	if err := m.Unpack(msg); err != nil {
		t.Fatal(err)
	}
	o := m.IsEdns0()
	if o == nil || o.UDPSize() != 1232 || !o.Do() || m.Rcode != int(RcodeBadCookie) || len(m.Extra) != 2 || len(o.Option) != 3 {
		t.Fatalf("%v", &m)
	}
	if e, ok := o.Option[2].(*dns.EDNS0_EDE); !ok || e.InfoCode != uint16(EDEStaleAnswer) || e.ExtraText != "old" {
		t.Errorf("extended error %v", o.Option[2])
	}
}

// TestAppendOptionWithoutOPT: a message that does not end with an OPT is left alone.
func TestAppendOptionWithoutOPT(t *testing.T) {
	withOPT := AppendOPT(mustPack(t, nil, nil, nil), OPT{UDPSize: 1232})
	behind := appendRR(bytes.Clone(withOPT), Additional, dnametest.Name("."), TypeNULL, ClassIN, 0, nil)
	for _, msg := range [][]byte{nil, withOPT[:20], mustPack(t, nil, nil, nil), behind, append(bytes.Clone(withOPT), 0)} {
		if got := AppendOption(bytes.Clone(msg), OptionNSID, []byte("x")); !bytes.Equal(got, msg) {
			t.Errorf("AppendOption(%x) = %x", msg, got)
		}
	}
	if got := AppendOption(withOPT, OptionPadding, make([]byte, MaxLen)); !bytes.Equal(got, withOPT) {
		t.Errorf("a message of %d octets", len(got))
	}
}

// TestAppendEDEClips: long texts end with a whole character.
func TestAppendEDEClips(t *testing.T) {
	for _, text := range []string{"", strings.Repeat("a", MaxEDEText), strings.Repeat("a", MaxEDEText+1), "a" + strings.Repeat("é", MaxEDEText*2/3), strings.Repeat("\x80", MaxEDEText+35)} {
		msg := AppendEDE(AppendOPT(mustPack(t, nil, nil, nil), OPT{}), EDENotReady, text)
		var r Reader
		var rr RR
		r.Reset(msg)
		r.Next(&rr)
		_, options, ok := ParseOPT(msg, &rr)
		code, data, _ := options.Next()
		if !ok || code != OptionEDE || string(data[:2]) != "\x00\x0e" {
			t.Fatalf("%q: option %d %x", text, code, data)
		}
		if got := string(data[2:]); !strings.HasPrefix(text, got) || len(got) > MaxEDEText || utf8.ValidString(text) && (!utf8.ValidString(got) ||
			len(got) < min(len(text), MaxEDEText-1)) {
			t.Errorf("%q was clipped to %q", text, got)
		}
	}
}

func TestParseOPTOwner(t *testing.T) {
	msg := appendRR(AppendQuery(nil, 1, 0, dnametest.Name("a."), TypeA, ClassIN), Additional, dnametest.Name("a."), TypeOPT, 1232, 0, nil)
	var r Reader
	var rr RR
	r.Reset(msg)
	if _, ok := r.Next(&rr); !ok {
		t.Fatal("unreadable")
	}
	if _, _, ok := ParseOPT(msg, &rr); ok {
		t.Error("an OPT below a name is taken")
	}
}
