package tap

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"heimdall/core"
	"heimdall/core/dname"
	"heimdall/core/wire"
	"heimdall/shard/tap/ring"
)

// recordOf makes the record of a response to a question.
func recordOf(name dname.Name, typ uint16, edit func(*ring.Record)) *ring.Record {
	msg := []byte{0, 1, 0x85, 0xb0, 0, 1, 0, 2, 0, 0, 0, 0} // aa rd ra ad cd
	msg = binary.BigEndian.AppendUint16(append(msg, name...), typ)
	msg = binary.BigEndian.AppendUint16(msg, 1)
	r := &ring.Record{
		Asked: 1_000_000, Ended: 3_500_000, Peer: netip.MustParseAddr("192.0.2.1").As16(), PeerPort: 4000, Source: uint8(core.FromCache),
		Bits: ring.Line | ring.DO, Question: uint16(len(msg)), Size: 99, Response: msg,
	}
	if edit != nil {
		edit(r)
	}
	return r
}

func TestLines(t *testing.T) {
	name := dname.Name("\x03www\x07example\x00")
	for _, c := range []struct {
		edit       func(*ring.Record)
		text, json string
	}{
		{nil,
			`time=2026-01-02T03:04:05.001000Z client=192.0.2.1:4000 transport=udp name=www.example. class=IN type=A flags=aa,rd,ra,ad,cd,do rcode=NOERROR answers=2 size=99 us=2500 source=cache dnssec=-`,
			`{"time":"2026-01-02T03:04:05.001000Z","client":"192.0.2.1:4000","transport":"udp","name":"www.example.","class":"IN","type":"A","flags":"aa,rd,ra,ad,cd,do","rcode":"NOERROR","answers":2,"size":99,"us":2500,"source":"cache","dnssec":"-"}`},
		{func(r *ring.Record) {
			r.Rcode, r.EDE, r.Source, r.Transport, r.Bits = uint16(wire.RcodeServFail), uint16(wire.EDESignatureExpired), uint8(core.FromOthers), ring.TCP, ring.Line
			r.Peer, r.Response[2], r.Response[3] = netip.MustParseAddr("2001:db8::1").As16(), 0x80, 2
		},
			`time=2026-01-02T03:04:05.001000Z client=[2001:db8::1]:4000 transport=tcp name=www.example. class=IN type=A flags=- rcode=SERVFAIL ede=7 answers=2 size=99 us=2500 source=upstream dnssec=bogus`,
			`{"time":"2026-01-02T03:04:05.001000Z","client":"[2001:db8::1]:4000","transport":"tcp","name":"www.example.","class":"IN","type":"A","flags":"-","rcode":"SERVFAIL","ede":7,"answers":2,"size":99,"us":2500,"source":"upstream","dnssec":"bogus"}`},
		{func(r *ring.Record) { r.Question, r.Bits = wire.HeaderLen, ring.Line|ring.Secure },
			`time=2026-01-02T03:04:05.001000Z client=192.0.2.1:4000 transport=udp name=- class=CLASS0 type=TYPE0 flags=aa,rd,ra,ad,cd rcode=NOERROR answers=2 size=99 us=2500 source=cache dnssec=secure`,
			`{"time":"2026-01-02T03:04:05.001000Z","client":"192.0.2.1:4000","transport":"udp","name":"","class":"CLASS0","type":"TYPE0","flags":"aa,rd,ra,ad,cd","rcode":"NOERROR","answers":2,"size":99,"us":2500,"source":"cache","dnssec":"secure"}`},
	} {
		var l line
		l.read(recordOf(name, 1, c.edit), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano())
		if got := string(l.appendText(nil)); got != c.text+"\n" {
			t.Errorf("text\n%swant\n%s", got, c.text)
		}
		if got := string(l.appendJSON(nil)); got != c.json+"\n" {
			t.Errorf("JSON\n%swant\n%s", got, c.json)
		}
	}
}

// Whatever is asked, a line is one line of printable ASCII, JSON is valid, and the name in it is what was asked.
func FuzzLine(f *testing.F) {
	f.Add([]byte("\x03www\x07example\x00"), uint16(1), uint16(0), uint16(100))
	f.Add([]byte("\x0aa\" b\\\n=\x00\x7f\xff\x00"), uint16(65535), uint16(4095), uint16(12))
	f.Fuzz(func(t *testing.T, question []byte, typ, rcode, end uint16) {
		r := recordOf(question, typ, func(r *ring.Record) { r.Rcode, r.Question = rcode, min(r.Question, max(end, wire.HeaderLen)) })
		var l line
		l.read(r, 0)
		text := l.appendText(nil)
		for _, c := range text[:len(text)-1] {
			if c < ' ' || c > '~' {
				t.Fatalf("%q", text)
			}
		}
		if text[len(text)-1] != '\n' || strings.Count(string(text), " name=") != 1 {
			t.Errorf("%q", text)
		}
		var got struct{ Name, Client, Dnssec string }
		object := l.appendJSON([]byte("before"))[6:]
		if err := json.Unmarshal(object, &got); err != nil || bytes.Count(object, []byte("\n")) != 1 {
			t.Fatalf("%v: %q", err, object)
		}
		if l.name == nil {
			return
		}
		if back, err := dname.ParseText(nil, got.Name); err != nil || !bytes.Equal(back, l.name) {
			t.Errorf("%q is %q, %v", l.name, got.Name, err)
		}
	})
}

// A rule is true of a name and what is below it, of a prefix, of a code, of what took long.
func TestRules(t *testing.T) {
	www := dname.Name("\x03WWW\x07example\x00")
	for what, c := range map[string]struct {
		s    LineSettings
		want bool
	}{
		"name":         {LineSettings{Names: []dname.Name{dname.Name("\x07example\x00")}}, true},
		"itself":       {LineSettings{Names: []dname.Name{dname.Name("\x03www\x07example\x00")}}, true},
		"root":         {LineSettings{Names: []dname.Name{dname.Root()}}, true},
		"other name":   {LineSettings{Names: []dname.Name{dname.Name("\x02ww\x07example\x00")}}, false},
		"code":         {LineSettings{Rcodes: []wire.Rcode{wire.RcodeNXDomain}}, true},
		"other code":   {LineSettings{Rcodes: []wire.Rcode{wire.RcodeServFail}}, false},
		"client":       {LineSettings{Clients: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, true},
		"other client": {LineSettings{Clients: []netip.Prefix{netip.MustParsePrefix("192.0.3.0/24"), netip.MustParsePrefix("::/0")}}, false},
		"slow":         {LineSettings{SlowerThan: 2500 * time.Microsecond}, true},
		"not so slow":  {LineSettings{SlowerThan: 2501 * time.Microsecond}, false},
		"none":         {LineSettings{}, false},
	} {
		var l line
		l.read(recordOf(www, 1, func(r *ring.Record) { r.Rcode = uint16(wire.RcodeNXDomain) }), 0)
		if got := newRules(&c.s).match(&l); got != c.want {
			t.Errorf("%s: %v", what, got)
		}
	}
}

func TestBoundOfASecond(t *testing.T) {
	b := bound{most: 3}
	passed := 0
	for i := range 100 { // ten a second
		if b.pass(int64(i) * 1e8) {
			passed++
		}
	}
	if passed != 30 {
		t.Errorf("%d passed", passed)
	}
}

// What is written of items up to some octet is known for any octet.
func FuzzWhole(f *testing.F) {
	f.Add([]byte("a\nbc\n\n"), uint8(3))
	f.Fuzz(func(t *testing.T, content []byte, at uint8) {
		var frames, lines []byte
		var ends [2][]int
		for part := range bytes.SplitSeq(content, []byte{'\n'}) {
			frames = append(binary.BigEndian.AppendUint32(frames, uint32(len(part)+1)), 'x')
			frames = append(frames, part...)
			lines = append(append(lines, part...), '\n')
			ends[0], ends[1] = append(ends[0], len(frames)), append(ends[1], len(lines))
		}
		for i, s := range []shape{{count: countFrames, whole: wholeFrames}, lineShape} {
			all := [][]byte{frames, lines}[i]
			n := min(int(at), len(all))
			want, whole := 0, 0
			for _, end := range ends[i] {
				if end <= n {
					want, whole = end, whole+1
				}
			}
			if got := s.whole(all, n); got != want || s.count(all[:got]) != whole || s.count(all) != len(ends[i]) {
				t.Errorf("%d: %d of %d, want %d", i, got, n, want)
			}
		}
	})
}
