package wire

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname"
)

// queryCase is a message with the verdict that it must get.
type queryCase struct {
	name string
	msg  []byte
	want Verdict
}

// opt returns an OPT record in wire form.
func opt(owner, options string, version byte) string {
	return owner + "\x00\x29\x04\xd0\x00" + string([]byte{version}) + "\x80\x00" +
		string([]byte{byte(len(options) >> 8), byte(len(options))}) + options
}

// queryCases are well-formed queries and each way to be malformed.
func queryCases() []queryCase {
	const (
		question = "\x03www\x07Example\x03com\x00\x00\x01\x00\x01"
		tsig     = "\x03key\x00\x00\xfa\x00\xff\x00\x00\x00\x00\x00\x03abc"
		cookie   = "\x00\x0a\x00\x0801234567"
	)
	query := func(flags, counts, rest string) []byte { return []byte("\xab\xcd" + flags + counts + rest) }
	one := func(ar int, rest string) []byte {
		return query("\x01\x00", "\x00\x01\x00\x00\x00\x00\x00"+string([]byte{byte(ar)}), question+rest)
	}
	long := strings.Repeat("\x3f"+strings.Repeat("a", 63), 3)
	return []queryCase{
		{"empty", nil, QueryShort},
		{"11 octets", one(0, "")[:11], QueryShort},
		{"response", query("\x81\x80", "\x00\x01\x00\x00\x00\x00\x00\x00", question), QueryResponse},
		{"response with another opcode", query("\xa9\x80", "\x00\x00\x00\x00\x00\x00\x00\x00", ""), QueryResponse},
		{"notify", query("\x21\x00", "\x00\x01\x00\x00\x00\x00\x00\x00", question), QueryNotImp},
		{"garbage with another opcode", query("\x79\x00", "\xff\xff\xff\xff\xff\xff\xff\xff", "garbage"), QueryNotImp},
		{"header only", query("\x01\x00", "\x00\x00\x00\x00\x00\x00\x00\x00", ""), QueryFormErr},
		{"header only that claims a question", query("\x01\x00", "\x00\x01\x00\x00\x00\x00\x00\x00", ""), QueryFormErr},
		{"plain", one(0, ""), QueryOK},
		{"root", query("\x01\x00", "\x00\x01\x00\x00\x00\x00\x00\x00", "\x00\x00\x02\x00\x01"), QueryOK},
		{"longest name", query("\x00\x00", "\x00\x01\x00\x00\x00\x00\x00\x00", long+"\x3d"+strings.Repeat("b", 61)+"\x00\x00\x01\x00\x01"), QueryOK},
		{"longer name", query("\x00\x00", "\x00\x01\x00\x00\x00\x00\x00\x00", long+"\x3e"+strings.Repeat("b", 62)+"\x00\x00\x01\x00\x01"), QueryFormErr},
		{"label of 64", query("\x00\x00", "\x00\x01\x00\x00\x00\x00\x00\x00", "\x40"+strings.Repeat("b", 64)+"\x00\x00\x01\x00\x01"), QueryFormErr},
		{"label type 10", query("\x00\x00", "\x00\x01\x00\x00\x00\x00\x00\x00", "\x81a\x00\x00\x01\x00\x01"), QueryFormErr},
		{"pointer to itself", query("\x00\x00", "\x00\x01\x00\x00\x00\x00\x00\x00", "\xc0\x0c\x00\x01\x00\x01"), QueryFormErr},
		{"pointer into the header", query("\x00\x00", "\x00\x01\x00\x00\x00\x00\x00\x00", "\x01a\xc0\x04\x00\x01\x00\x01"), QueryFormErr},
		{"no class", one(0, "")[:HeaderLen+len(question)-1], QueryFormErr},
		{"trailing octet", one(0, "x"), QueryFormErr},
		{"two questions", query("\x01\x00", "\x00\x02\x00\x00\x00\x00\x00\x00", question+question), QueryFormErr},
		{"answer", query("\x01\x00", "\x00\x01\x00\x01\x00\x00\x00\x00", question+tsig), QueryFormErr},
		{"authority", query("\x01\x00", "\x00\x01\x00\x00\x00\x01\x00\x00", question+tsig), QueryFormErr},
		{"claims a record", one(1, ""), QueryFormErr},
		{"EDNS", one(1, opt("\x00", "", 0)), QueryOK},
		{"EDNS and TSIG", one(2, opt("\x00", cookie, 0)+tsig), QueryOK},
		{"TSIG and EDNS", one(2, tsig+opt("\x00", cookie, 0)), QueryOK},
		{"record with compressed owner", one(1, "\xc0\x0c"+tsig[5:]), QueryOK},
		{"two OPT", one(2, opt("\x00", "", 0)+opt("\x00", "", 0)), QueryFormErr},
		{"OPT below a name", one(1, opt("\x01a\x00", "", 0)), QueryFormErr},
		{"OPT with a pointer for owner", one(1, opt("\xc0\x1b", "", 0)), QueryFormErr},
		{"OPT cut short", one(1, opt("\x00", "", 0)[:10]), QueryFormErr},
		{"OPT without the data it claims", one(1, opt("\x00", cookie, 0)[:15]), QueryFormErr},
		{"version 1", one(1, opt("\x00", "", 1)), QueryBadVers},
		{"version 255 with strange options", one(1, opt("\x00", "?", 255)), QueryBadVers},
		{"version 1 twice", one(2, opt("\x00", "", 1)+opt("\x00", "", 1)), QueryFormErr},
		{"version 1 and a trailing octet", one(1, opt("\x00", "", 1)+"x"), QueryFormErr},
		{"option of 3 octets", one(1, opt("\x00", "\x00\x03\x00", 0)), QueryFormErr},
		{"option that runs out", one(1, opt("\x00", "\x00\x03\x00\x05abcd", 0)), QueryFormErr},
		{"NSID", one(1, opt("\x00", "\x00\x03\x00\x00", 0)), QueryOK},
		{"cookie", one(1, opt("\x00", cookie, 0)), QueryOK},
		{"two cookies", one(1, opt("\x00", cookie+"\x00\x0a\x00\x0876543210", 0)), QueryOK},
		{"cookie of 7 octets", one(1, opt("\x00", "\x00\x0a\x00\x071234567", 0)), QueryFormErr},
		{"cookie of 9 octets", one(1, opt("\x00", "\x00\x0a\x00\x09123456789", 0)), QueryFormErr},
		{"cookie of 40 octets", one(1, opt("\x00", "\x00\x0a\x00\x28"+strings.Repeat("x", 40), 0)), QueryOK},
		{"cookie of 41 octets", one(1, opt("\x00", "\x00\x0a\x00\x29"+strings.Repeat("x", 41), 0)), QueryFormErr},
		{"keepalive", one(1, opt("\x00", "\x00\x0b\x00\x00", 0)), QueryOK},
		{"keepalive with a timeout", one(1, opt("\x00", "\x00\x0b\x00\x02\x00\x64", 0)), QueryOK},
		{"keepalive of 1 octet", one(1, opt("\x00", "\x00\x0b\x00\x01\x00", 0)), QueryFormErr},
		{"client subnet and an unknown option", one(1, opt("\x00", "\x00\x08\x00\x04\x00\x01\x00\x00\xff\xfe\x00\x01?", 0)), QueryOK},
	}
}

func TestQueryParse(t *testing.T) {
	for _, c := range queryCases() {
		var q Query
		if got := q.Parse(c.msg); got != c.want {
			t.Errorf("%s: Parse = %v, want %v", c.name, got, c.want)
		}
		checkParse(t, c.msg)
	}
}

// checkParse holds Parse against its slow twin, on a Query that was used before.
func checkParse(t *testing.T, msg []byte) {
	t.Helper()
	q := Query{Name: dname.Root(), EDNS: true, Version: 7, Cookie: []byte("left"), KeepAlive: true, End: 9}
	got := q.Parse(msg)
	want, verdict := slowQuery(msg)
	if got != verdict {
		t.Fatalf("Parse(%x) = %v, want %v", msg, got, verdict)
	}
	if got == QueryFormErr { // what comes behind the question is not promised
		q = Query{Msg: q.Msg, ID: q.ID, Flags: q.Flags, Opcode: q.Opcode, Name: q.Name, Type: q.Type, Class: q.Class, End: q.End}
		want = Query{Msg: want.Msg, ID: want.ID, Flags: want.Flags, Opcode: want.Opcode, Name: want.Name, Type: want.Type, Class: want.Class, End: want.End}
	}
	if !reflect.DeepEqual(q, want) {
		t.Fatalf("Parse(%x):\n%+v, want\n%+v", msg, q, want)
	}
}

// TestQueryParseFields: what miekg/dns packs is read back.
func TestQueryParseFields(t *testing.T) {
	m := new(dns.Msg)
	m.SetQuestion("wWw.Example.com.", dns.TypeAAAA)
	m.CheckingDisabled = true
	m.SetEdns0(100, true)
	m.IsEdns0().Option = []dns.EDNS0{
		&dns.EDNS0_NSID{Code: dns.EDNS0NSID}, &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0123456789abcdef"},
	}
	msg, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	var q Query
	if v := q.Parse(msg); v != QueryOK {
		t.Fatal(v)
	}
	if q.ID != m.Id || q.Flags != FlagRD|FlagCD || q.Name.String() != "wWw.Example.com." || q.Type != TypeAAAA ||
		q.Class != ClassIN || q.End != HeaderLen+17+4 {
		t.Errorf("question: %+v", q)
	}
	if !q.EDNS || !q.DO || q.UDPSize != 512 || q.KeepAlive ||
		!bytes.Equal(q.Cookie, []byte("\x01\x23\x45\x67\x89\xab\xcd\xef")) {
		t.Errorf("EDNS: %+v", q)
	}
	q.Parse(queryCases()[len(queryCases())-1].msg)
	if !q.EDNS || q.Cookie != nil || q.KeepAlive {
		t.Errorf("unknown options: %+v", q)
	}
}

// TestAppendError: an error copies ID, opcode, RD, CD and the question, and nothing besides.
func TestAppendError(t *testing.T) {
	var q Query
	q.Parse([]byte("\xab\xcd\x01\xff\x00\x01\x00\x00\x00\x00\x00\x01\x01A\x00\x00\x01\x00\x01" + opt("\x00", "\xff\xfe\x00\x01?", 0)))
	got := AppendError([]byte("kept"), &q, RcodeBadVers, FlagRA)
	if want := "kept\xab\xcd\x81\x90\x00\x01\x00\x00\x00\x00\x00\x00\x01A\x00\x00\x01\x00\x01"; string(got) != want {
		t.Errorf("AppendError = %q, want %q", got, want)
	}
	q.Parse([]byte("\xab\xcd\x21\x00\x00\x01\x00\x00\x00\x00\x00\x01\x01A\x00\x00\x01\x00\x01"))
	got = AppendError(nil, &q, RcodeNotImp, 0)
	if want := "\xab\xcd\xa1\x04\x00\x00\x00\x00\x00\x00\x00\x00"; string(got) != want {
		t.Errorf("AppendError = %q, want %q", got, want)
	}
}
