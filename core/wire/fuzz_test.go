package wire

import (
	"bytes"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/dname"
)

// addMessages gives f queries, responses of several shapes, and responses cut short.
func addMessages(f *testing.F, add func(msg []byte)) {
	for _, c := range queryCases() {
		add(c.msg)
	}
	all := allRecords(f)
	for i := range all {
		add(mustPack(f, all[i:i+1], nil, nil))
	}
	for i := 0; i+9 <= len(all); i += 9 {
		msg := mustPack(f, all[i:i+3], all[i+3:i+6], all[i+6:i+9])
		add(msg)
		add(msg[:len(msg)-5])
		add(append(msg, 0))
	}
	add(mustPack(f, all, nil, nil))
	add(referral(f))
}

// FuzzQueryParse: Parse agrees with its slow twin, and what must be answered can be.
func FuzzQueryParse(f *testing.F) {
	addMessages(f, func(msg []byte) { f.Add(msg) })
	f.Fuzz(func(t *testing.T, msg []byte) {
		msg = msg[:len(msg):len(msg)]
		checkParse(t, msg)
		var q Query
		if v := q.Parse(msg); v == QueryShort || v == QueryResponse {
			return
		}
		reply := AppendOPT(AppendError(nil, &q, RcodeBadVers, FlagRA), OPT{UDPSize: 1232, Rcode: RcodeBadVers})
		var m dns.Msg
		if err := m.Unpack(reply); err != nil || !m.Response || m.Id != q.ID || m.Opcode != int(q.Opcode) ||
			m.Rcode != int(RcodeBadVers) || len(m.Question) != 0 != (q.Name != nil) {
			t.Fatalf("AppendError = %x: %v\n%v", reply, err, &m)
		}
	})
}

// FuzzReader: Reader finds the records that its slow twin finds, all within the message; display copes with
// whatever they hold.
func FuzzReader(f *testing.F) {
	addMessages(f, func(msg []byte) { f.Add(msg) })
	f.Fuzz(func(t *testing.T, msg []byte) {
		msg = msg[:len(msg):len(msg)]
		want, end, bad, wantOK := slowRecords(msg)
		var r Reader
		var rr RR
		if ok := r.Reset(msg); ok != wantOK || ok == r.Err() {
			t.Fatalf("Reset = %v, want %v; Err = %v", ok, wantOK, r.Err())
		}
		for i := 0; ; i++ {
			s, ok := r.Next(&rr)
			if !ok {
				if i != len(want) {
					t.Fatalf("%d records, want %d", i, len(want))
				}
				break
			}
			if i >= len(want) || s != want[i].section || rr != want[i].RR {
				t.Fatalf("record %d: %v %+v", i, s, rr)
			}
			if rr.Start < end || rr.Data <= rr.Start || rr.End < rr.Data || rr.End > len(msg) {
				t.Fatalf("record %d lies outside: %+v", i, rr)
			}
			end = rr.End
			if text := AppendRRText(nil, msg, &rr); len(text) == 0 {
				t.Fatalf("record %d has no text", i)
			}
		}
		if _, ok := r.Next(&rr); ok || r.Err() != bad {
			t.Fatalf("Next = %v at the end; Err = %v, want %v", ok, r.Err(), bad)
		}
	})
}

// FuzzUnpackRData: what UnpackRData returns is complete in itself: unpacked again it stays the same. Where
// there are names and miekg/dns reads the record as well, both write it alike.
func FuzzUnpackRData(f *testing.F) {
	for _, rec := range allRecords(f) {
		h := rec.Header()
		for _, class := range []uint16{h.Class, 255} {
			f.Add(h.Rrtype, class, rdataOf(f, rec))
			f.Add(h.Rrtype, class, []byte("\xc0\x0c"))
			f.Add(h.Rrtype, class, []byte("\x00\x01\xc0\x0e"))
		}
	}
	f.Fuzz(func(t *testing.T, typ, class uint16, rdata []byte) {
		if len(rdata) > 4000 {
			return
		}
		unpack := func(rdata []byte) (msg, out []byte, rr RR, ok bool) {
			msg = AppendQuery(nil, 1, FlagQR, dname.Name("\x03www\x07Example\x03com\x00"), TypeANY, ClassIN)
			msg = appendRR(msg, Answer, dname.Root(), Type(typ), Class(class), 0, rdata)
			var r Reader
			r.Reset(msg)
			if _, ok := r.Next(&rr); !ok || rr.End != len(msg) {
				t.Fatalf("unreadable: %x", msg)
			}
			out, ok = UnpackRData([]byte("kept"), msg[:len(msg):len(msg)], &rr)
			if !bytes.HasPrefix(out, []byte("kept")) || !ok && len(out) != 4 {
				t.Fatalf("UnpackRData = %x, %v", out, ok)
			}
			return msg, out[4:], rr, ok
		}
		msg, out, rr, ok := unpack(rdata)
		if !ok {
			return
		}
		if _, again, _, ok := unpack(out); !ok || !bytes.Equal(again, out) {
			t.Fatalf("%v: UnpackRData(%x) = %x, but unpacked again %x, %v", Type(typ), rdata, out, again, ok)
		}
		// Other types are copied. Of NSEC and NXT miekg/dns rewrites the type bitmap.
		if fields := layout(Type(typ), Class(class)); !strings.Contains(fields, "n") || Type(typ) == TypeNSEC ||
			Type(typ) == TypeNXT {
			return
		}
		rec, _, err := dns.UnpackRR(msg, rr.Start)
		if err != nil {
			return
		}
		buf := make([]byte, 1<<14)
		end, err := dns.PackRR(rec, buf, 0, nil, false)
		if err == nil && !bytes.Equal(buf[1+rrFixedLen:end], out) {
			t.Fatalf("%v: UnpackRData(%x) = %x, miekg/dns %x", Type(typ), rdata, out, buf[1+rrFixedLen:end])
		}
	})
}

// FuzzCanonicalRData: the canonical form differs in letter case only, is its own canonical form, and is
// different from the original only for the types of RFC 4034.
func FuzzCanonicalRData(f *testing.F) {
	for _, rec := range allRecords(f) {
		f.Add(rec.Header().Rrtype, rdataOf(f, rec))
		f.Add(rec.Header().Rrtype, []byte("\x03ABC"))
	}
	f.Fuzz(func(t *testing.T, typ uint16, rdata []byte) {
		out := CanonicalRData([]byte("kept"), Type(typ), rdata)
		if !bytes.HasPrefix(out, []byte("kept")) {
			t.Fatalf("CanonicalRData = %x", out)
		}
		out = out[4:]
		if !dname.Equal(out, rdata) || !canonicalLower(Type(typ)) && !bytes.Equal(out, rdata) {
			t.Fatalf("CanonicalRData(%v, %x) = %x", Type(typ), rdata, out)
		}
		if again := CanonicalRData(nil, Type(typ), out); !bytes.Equal(again, out) {
			t.Fatalf("CanonicalRData(%v, %x) = %x, and of that %x", Type(typ), rdata, out, again)
		}
	})
}

// FuzzBuilder: the records of a message that can be read survive building it anew, whatever was built and
// taken back in between, and never beyond the limit.
func FuzzBuilder(f *testing.F) {
	addMessages(f, func(msg []byte) { f.Add(msg, uint16(0xFFFF)); f.Add(msg, uint16(len(msg)/2)) })
	f.Fuzz(func(t *testing.T, msg []byte, limit uint16) {
		want, ok := describe(msg)
		if !ok {
			return
		}
		records, _, _, _ := slowRecords(msg)
		buf := make([]byte, MaxLen)
		var b Builder
		b.Reset(buf, int(limit))
		b.Header(ID(msg), Flags(msg))
		fits := limit >= HeaderLen
		add := func(r slowRecord) bool {
			owner, _, _ := dname.Unpack(nil, msg, r.Owner)
			rdata, _ := UnpackRData(nil, msg, &r.RR)
			before := b.Len()
			ok := b.RR(r.section, owner, r.Type, r.Class, r.TTL, rdata)
			if !ok && b.Len() != before || b.Len() > max(int(limit), 0) {
				t.Fatalf("RR = %v: %d octets before, %d after, limit %d", ok, before, b.Len(), limit)
			}
			return ok
		}
		for i, r := range records {
			mark := b.Mark()
			for _, later := range records[i:] {
				add(later)
			}
			b.Rollback(mark)
			fits = add(r) && fits
		}
		out := b.Finish()
		if !fits {
			return
		}
		if got, ok := describe(out); !ok || got != want {
			t.Fatalf("built %x:\n%swant\n%s", out, got, want)
		}
	})
}

// FuzzTruncate: what Truncate leaves fits, is the message's beginning, can be read, ends on an RRset, and is
// as much as fits.
func FuzzTruncate(f *testing.F) {
	addMessages(f, func(msg []byte) {
		for limit := HeaderLen; limit < len(msg)+1; limit += 1 + len(msg)/7 {
			f.Add(msg, uint16(limit))
		}
	})
	f.Fuzz(func(t *testing.T, msg []byte, limit16 uint16) {
		limit := max(int(limit16), HeaderLen)
		out := Truncate(bytes.Clone(msg), limit)
		if len(msg) <= limit || len(msg) < HeaderLen {
			if !bytes.Equal(out, msg) {
				t.Fatalf("Truncate changed what fits: %x", out)
			}
			return
		}
		if len(out) > limit || !bytes.Equal(out[HeaderLen:], msg[HeaderLen:len(out)]) {
			t.Fatalf("Truncate(%x, %d) = %x", msg, limit, out)
		}
		kept, _, bad, ok := slowRecords(out)
		if bad || !ok {
			t.Fatalf("Truncate(%x, %d) = %x, which is malformed", msg, limit, out)
		}
		if again := Truncate(bytes.Clone(out), limit); !bytes.Equal(again, out) {
			t.Fatalf("Truncate(%x) = %x", out, again)
		}
		all, _, _, _ := slowRecords(msg)
		tc := Flags(out)&FlagTC != 0
		if len(kept) == len(all) {
			if !tc {
				t.Fatalf("the rest is malformed and TC is clear: %x", out)
			}
			return
		}
		next := all[len(kept)]
		if len(kept) > 0 {
			last := all[len(kept)-1]
			if last.section == next.section && sameRRset(msg, &last.RR, &next.RR) {
				t.Fatalf("Truncate(%x, %d) splits an RRset at %d", msg, limit, len(out))
			}
		}
		if next.section < Additional && !tc {
			t.Fatalf("%v section cut and TC is clear: %x", next.section, out)
		}
		// The RRset that was cut does not fit, or the message is malformed in it.
		for _, r := range all[len(kept):] {
			if r.section != next.section || !sameRRset(msg, &next.RR, &r.RR) {
				t.Fatalf("Truncate(%x, %d) drops an RRset that fits: %x", msg, limit, out)
			}
			if r.End > limit {
				return
			}
		}
	})
}

// FuzzParseOPT: options that ParseOPT accepts can be appended one by one to an OPT and are then the same.
func FuzzParseOPT(f *testing.F) {
	f.Add([]byte("\x00\x0a\x00\x0801234567\x00\x0f\x00\x02\x00\x17"), uint32(0x01008000))
	f.Add([]byte("\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"), uint32(0))
	f.Fuzz(func(t *testing.T, data []byte, ttl uint32) {
		if len(data) > 4000 {
			return
		}
		read := func(msg []byte) (OPT, Options, bool) {
			var r Reader
			var rr RR
			r.Reset(msg)
			if _, ok := r.Next(&rr); !ok {
				t.Fatalf("unreadable: %x", msg)
			}
			return ParseOPT(msg, &rr)
		}
		query := AppendQuery(nil, 1, FlagQR, dname.Root(), TypeANY, ClassIN)
		o, options, ok := read(appendRR(bytes.Clone(query), Additional, dname.Root(), TypeOPT, 1232, ttl, data))
		if !ok {
			return
		}
		msg := AppendOPT(query, o)
		for rest := options; ; {
			code, value, ok := rest.Next()
			if !ok {
				break
			}
			msg = AppendOption(msg, code, value)
		}
		again, got, ok := read(msg)
		if !ok || again != o || !bytes.Equal(got, options) {
			t.Fatalf("OPT %+v with %x came back as %+v with %x, %v", o, options, again, got, ok)
		}
	})
}
