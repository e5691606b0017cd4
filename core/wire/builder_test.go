package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/dname/dnametest"
)

// TestBuilderSize: messages come out as small as those of another implementation, and say the same.
func TestBuilderSize(t *testing.T) {
	zone := dnametest.Name("Example.com.")
	records := allRecords(t)
	for _, rec := range records {
		// Three of a kind, so that the second and third can point to the first.
		rrs := []dns.RR{rec, rec, rec}
		want := mustPack(t, rrs, nil, nil)
		buf := make([]byte, MaxLen)
		var b Builder
		b.Reset(buf, len(buf))
		b.Header(ID(want), Flags(want))
		if !b.Question(zone, TypeANY, ClassIN) {
			t.Fatal("the question does not fit")
		}
		for range rrs {
			h := rec.Header()
			if !b.RR(Answer, dnametest.Name(h.Name), Type(h.Rrtype), Class(h.Class), h.Ttl, rdataOf(t, rec)) {
				t.Fatalf("%v does not fit", rec)
			}
		}
		got := b.Finish()
		var m dns.Msg
		if err := m.Unpack(got); err != nil || len(m.Answer) != 3 {
			t.Errorf("%v: %v", rec, err)
			continue
		}
		for _, back := range m.Answer {
			if !strings.EqualFold(back.String(), rec.String()) {
				t.Errorf("%v came back as %v", rec, back)
			}
		}
		if len(got) > len(want) {
			t.Errorf("%v: %d octets, miekg/dns needs %d", rec, len(got), len(want))
		}
	}
}

// TestBuilderCompressesLikeRFC1035 has the names of the example in RFC 1035, section 4.1.4.
func TestBuilderCompressesLikeRFC1035(t *testing.T) {
	buf := make([]byte, 512)
	var b Builder
	b.Reset(buf, len(buf))
	for _, s := range []string{"F.ISI.ARPA.", "foo.F.ISI.ARPA.", "ARPA.", "."} {
		if !b.RR(Answer, dnametest.Name(s), TypeNULL, ClassIN, 0, nil) {
			t.Fatal(s)
		}
	}
	fixed := "\x00\x0a\x00\x01\x00\x00\x00\x00\x00\x00"
	want := "\x01F\x03ISI\x04ARPA\x00" + fixed + "\x03foo\xc0\x0c" + fixed + "\xc0\x12" + fixed + "\x00" + fixed
	if got := b.Finish(); string(got[HeaderLen:]) != want {
		t.Errorf("got  %q\nwant %q", got[HeaderLen:], want)
	}
}

// TestBuilderLimit: what does not fit leaves no trace, and what does fills the limit to the octet.
func TestBuilderLimit(t *testing.T) {
	n := dnametest.Name("www.example.com.")
	rdata := append([]byte{0, 1}, dnametest.Name("mail.example.com.")...)
	build := func(limit int) (msg []byte, question, record bool) {
		var b Builder
		b.Reset(make([]byte, 100), limit)
		question = b.Question(n, TypeMX, ClassIN)
		record = b.RR(Answer, n, TypeMX, ClassIN, 1, rdata)
		return b.Finish(), question, record
	}
	full, _, _ := build(100)
	for limit := -1; limit <= len(full); limit++ {
		msg, question, record := build(limit)
		if len(msg) > max(limit, 0) || question != (limit >= HeaderLen+len(n)+4) || record != (limit == len(full)) &&
			question {
			t.Errorf("limit %d: %d octets, question %v, record %v", limit, len(msg), question, record)
		}
		if limit >= HeaderLen && question && !record && Count(msg, Answer) != 0 {
			t.Errorf("limit %d: answer count %d", limit, Count(msg, Answer))
		}
	}
	var zero Builder
	zero.Header(1, FlagQR)
	zero.SetFlags(FlagTC)
	if zero.Question(n, TypeA, ClassIN) || len(zero.Finish()) != 0 {
		t.Error("the zero Builder writes")
	}
}

// TestBuilderSections: there is no way back to an earlier section.
func TestBuilderSections(t *testing.T) {
	var b Builder
	b.Reset(make([]byte, 512), 512)
	root := dname.Root()
	mark := b.Mark()
	if !b.RR(Additional, root, TypeNULL, ClassIN, 0, nil) || b.RR(Answer, root, TypeNULL, ClassIN, 0, nil) ||
		b.Question(root, TypeA, ClassIN) || b.RR(Question, root, TypeNULL, ClassIN, 0, nil) {
		t.Error("sections out of order")
	}
	b.Rollback(mark)
	if !b.Question(root, TypeA, ClassIN) || !b.RR(Answer, root, TypeNULL, ClassIN, 0, nil) {
		t.Error("rolled back, yet in a later section")
	}
	if got := sectionCounts(b.Finish()); got != [4]int{1, 1, 0, 0} {
		t.Errorf("counts %v", got)
	}
}

// TestBuilderManyNames: more names than the compressor remembers, and offsets that no pointer can hold.
func TestBuilderManyNames(t *testing.T) {
	var b Builder
	b.Reset(make([]byte, MaxLen), MaxLen)
	added := 0
	for ; ; added++ {
		n := dnametest.Name(fmt.Sprintf("host%d.zone%d.example.com.", added, added%100))
		if !b.RR(Answer, n, TypeCNAME, ClassIN, 1, n) {
			break
		}
	}
	msg := b.Finish()
	var r Reader
	var rr RR
	r.Reset(msg)
	for i := range added {
		if _, ok := r.Next(&rr); !ok {
			t.Fatalf("record %d unreadable", i)
		}
		want := dnametest.Name(fmt.Sprintf("host%d.zone%d.example.com.", i, i%100))
		owner, _, _ := dname.Unpack(nil, msg, rr.Owner)
		rdata, _ := UnpackRData(nil, msg, &rr)
		if !bytes.Equal(owner, want) || !bytes.Equal(rdata, want) {
			t.Fatalf("record %d: %x CNAME %x", i, owner, rdata)
		}
	}
	if _, ok := r.Next(&rr); ok || r.Err() || added < 1500 {
		t.Errorf("%d records, Err = %v", added, r.Err())
	}
}

// TestBuilderMalformedRData: what should hold a name and does not is carried as it is.
func TestBuilderMalformedRData(t *testing.T) {
	for _, rdata := range []string{"", "\x05abc", "\x01a\xc0\x0c", "\x01a\x00\x01b\x00 more than the fields"} {
		var b Builder
		b.Reset(make([]byte, 512), 512)
		if !b.RR(Answer, dnametest.Name("a."), TypeSOA, ClassIN, 1, []byte(rdata)) {
			t.Fatalf("%q does not fit", rdata)
		}
		msg := b.Finish()
		size := int(binary.BigEndian.Uint16(msg[HeaderLen+3+8:]))
		if size != len(msg)-HeaderLen-3-rrFixedLen {
			t.Errorf("%q: RDLENGTH %d of %x", rdata, size, msg)
		}
	}
}
