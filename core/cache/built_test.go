package cache

import (
	"bytes"
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

// A message that a Builder made is kept as it is, which makes the same entry as building it anew.
func TestBuiltIsKeptAsItIs(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	o := AnswersOptions{Memory: make([]byte, 1<<20), MinTTL: 5, MaxTTL: 86400, MaxNegativeTTL: 900, StaleTTL: 60}
	built, err := NewAnswers(o)
	if err != nil {
		t.Fatal(err)
	}
	o.Memory = make([]byte, 1<<20)
	anew, err := NewAnswers(o)
	if err != nil {
		t.Fatal(err)
	}
	stored := 0
	for i := range 3000 {
		name, _ := dname.ParseText(nil, fmt.Sprintf("www%d.example.", i%7))
		k := Key{Name: name, Type: wire.TypeA, Class: wire.ClassIN}
		m := Meta{AD: rnd.IntN(2) == 0, Text: "why", EDE: wire.EDEOther, Depends: Depends(rnd.IntN(3))}
		failure := rnd.IntN(5) == 0
		if failure {
			m.TTL = 5
		}
		msg := buildResponse(rnd, &k, failure)
		j, ok := built.judge(&k, msg, m)
		if !ok {
			continue
		}
		want, result := anew.rebuild(msg, &j, m, 1000)
		got, same := built.encodeBuilt(msg, &j, m, 1000)
		if stored++; result != same || !bytes.Equal(got, want) {
			t.Fatalf("message %x: %v\n%x\nanew %v\n%x", msg, same, got, result, want)
		}
	}
	if stored < 1000 {
		t.Errorf("%d messages", stored)
	}
}

// One that is too large is refused in either way.
func TestBuiltTooLarge(t *testing.T) {
	name, _ := dname.ParseText(nil, "www.example.")
	k := Key{Name: name, Type: wire.TypeTXT, Class: wire.ClassIN}
	var b wire.Builder
	b.Reset(make([]byte, 0, wire.MaxLen), wire.MaxLen)
	b.Header(0, wire.FlagQR)
	b.Question(k.Name, k.Type, k.Class)
	for b.RR(wire.Answer, k.Name, k.Type, k.Class, 60, append([]byte{200}, make([]byte, 200)...)) {
	}
	a, err := NewAnswers(AnswersOptions{Memory: make([]byte, 1<<20)})
	if err != nil {
		t.Fatal(err)
	}
	for _, built := range []bool{true, false} {
		if r := a.Put(a.Hash(&k), &k, b.Finish(), Meta{Built: built}, 1); r != TooLarge {
			t.Errorf("built %v: %v", built, r)
		}
	}
}

func BenchmarkAnswersPutBuilt(b *testing.B) {
	for _, built := range []bool{false, true} {
		b.Run(fmt.Sprintf("built=%v", built), func(b *testing.B) {
			name, _ := dname.ParseText(nil, "www.example.")
			k := Key{Name: name, Type: wire.TypeA, Class: wire.ClassIN}
			msg := buildResponse(rand.New(rand.NewPCG(5, 6)), &k, false)
			a, err := NewAnswers(AnswersOptions{Memory: make([]byte, 1<<20)})
			if err != nil {
				b.Fatal(err)
			}
			hash := a.Hash(&k)
			b.ReportAllocs()
			for b.Loop() {
				a.Put(hash, &k, msg, Meta{Built: built, TTL: 60}, 1)
			}
		})
	}
}
