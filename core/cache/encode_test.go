package cache

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// buildResponse makes a response of random records, with names that can be compressed and RDATA that has names.
func buildResponse(rnd *rand.Rand, k *Key, failure bool) []byte {
	names := []dname.Name{k.Name}
	for _, s := range []string{"example.", "a.www.example.", "other.test.", "x.other.test."} {
		n, _ := dname.ParseText(nil, s)
		names = append(names, n)
	}
	var b wire.Builder
	b.Reset(make([]byte, 0, wire.MaxLen), wire.MaxLen)
	rcode := wire.RcodeNoError
	if failure {
		rcode = wire.RcodeServFail
	} else if rnd.IntN(3) == 0 {
		rcode = wire.RcodeNXDomain
	}
	b.Header(0, wire.FlagQR|wire.FlagRA|uint16(rcode))
	b.Question(k.Name, k.Type, k.Class)
	pick := func() dname.Name { return names[rnd.IntN(len(names))] }
	for _, section := range []wire.Section{wire.Answer, wire.Authority, wire.Additional} {
		for range rnd.IntN(6) {
			ttl := uint32(rnd.IntN(200000))
			switch rnd.IntN(4) {
			case 0:
				b.RR(section, pick(), wire.TypeA, k.Class, ttl, []byte{192, 0, 2, byte(rnd.IntN(256))})
			case 1:
				b.RR(section, pick(), wire.TypeCNAME, k.Class, ttl, pick())
			case 2:
				b.RR(section, pick(), wire.TypeMX, k.Class, ttl, append([]byte{0, 10}, pick()...))
			default:
				soa := append(append(append([]byte(nil), pick()...), pick()...), make([]byte, 20)...)
				soa[len(soa)-2] = byte(rnd.IntN(8))
				b.RR(section, pick(), wire.TypeSOA, k.Class, ttl, soa)
			}
		}
	}
	return b.Finish()
}

// rebuilt is what a Builder makes of a message of whatever origin; false if it cannot be read.
func rebuilt(msg []byte) ([]byte, bool) {
	var b wire.Builder
	b.Reset(make([]byte, 0, wire.MaxLen), wire.MaxLen)
	var r wire.Reader
	if !r.Reset(msg) {
		return nil, false
	}
	b.Header(0, wire.Flags(msg))
	at, t, c := r.Question()
	name, _, ok := dname.Unpack(nil, msg, at)
	if !ok || !b.Question(name, t, c) {
		return nil, false
	}
	for rr := (wire.RR{}); ; {
		section, more := r.Next(&rr)
		if !more {
			return b.Finish(), !r.Err()
		}
		owner, _, ok := dname.Unpack(nil, msg, rr.Owner)
		rdata, readable := wire.UnpackRData(nil, msg, &rr)
		if !ok || !readable || !b.RR(section, owner, rr.Type, rr.Class, rr.TTL, rdata) {
			return nil, false
		}
	}
}

// slowEncode makes the value of an entry by building the message anew, record by record.
func (a *Answers) slowEncode(msg []byte, j *judgement, m Meta, now uint32) []byte {
	var b wire.Builder
	b.Reset(make([]byte, 0, wire.MaxLen), wire.MaxLen)
	var r wire.Reader
	r.Reset(msg)
	at, t, c := r.Question()
	name, _, _ := dname.Unpack(nil, msg, at)
	b.Question(name, t, c)
	start := b.Len()
	value := make([]byte, valueHeader)
	for rr := (wire.RR{}); ; {
		section, ok := r.Next(&rr)
		if !ok {
			break
		}
		owner, _, _ := dname.Unpack(nil, msg, rr.Owner)
		rdata, _ := wire.UnpackRData(nil, msg, &rr)
		before := b.Len()
		b.RR(section, owner, rr.Type, rr.Class, j.clamp(&rr), rdata)
		fixed, _ := dname.Skip(b.Finish(), before)
		value = binary.LittleEndian.AppendUint16(value, uint16(fixed+4-start))
	}
	return a.seal(append(value, b.Finish()[start:]...), msg, j, m, now)
}

// A message is kept as it is, which makes the same entry as building it anew.
func TestEncodeIsAsIfBuiltAnew(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	a, err := NewAnswers(AnswersOptions{Memory: make([]byte, 1<<20), MinTTL: 5, MaxTTL: 86400, MaxNegativeTTL: 900, StaleTTL: 60})
	if err != nil {
		t.Fatal(err)
	}
	stored := 0
	for i := range 3000 {
		k := keyOf(fmt.Sprintf("www%d.example.", i%7), wire.TypeA)
		m := Meta{AD: rnd.IntN(2) == 0, Text: "why", EDE: wire.EDEOther, Depends: Depends(rnd.IntN(3))}
		failure := rnd.IntN(5) == 0
		if failure {
			m.TTL = 5
		}
		msg := buildResponse(rnd, &k, failure)
		j, ok := a.judge(&k, msg, m)
		if !ok {
			continue
		}
		want := a.slowEncode(msg, &j, m, 1000)
		got, result := a.encode(msg, &j, m, 1000)
		if stored++; result != Stored || !bytes.Equal(got, want) {
			t.Fatalf("message %x: %v\n%x\nanew\n%x", msg, result, got, want)
		}
	}
	if stored < 1000 {
		t.Errorf("%d messages", stored)
	}
}

// BenchmarkAnswersPutSections puts a response of several records in all sections.
func BenchmarkAnswersPutSections(b *testing.B) {
	k := keyOf("www.example.", wire.TypeA)
	msg := buildResponse(rand.New(rand.NewPCG(5, 6)), &k, false)
	a, err := NewAnswers(AnswersOptions{Memory: make([]byte, 1<<20)})
	if err != nil {
		b.Fatal(err)
	}
	hash := a.Hash(&k)
	b.ReportAllocs()
	for b.Loop() {
		a.Put(hash, &k, msg, Meta{TTL: 60}, 1)
	}
}
