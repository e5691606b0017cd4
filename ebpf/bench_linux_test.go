package ebpf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"testing"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// benchNames is the number of names of the benchmarks.
const (
	benchNames  = 100_000
	benchPlaces = 1 << 18
)

// BenchmarkRun measures one run of the program, the making of the next query of the response included.
func BenchmarkRun(b *testing.B) {
	for _, c := range []struct {
		name   string
		names  uint32
		frames []byte
	}{
		{"hot", 0, frame(client4, server4, query("H00007.example.", wire.TypeA, 0, 0, false))},
		{"pick", 1, frame(client4, server4, query("H00007.example.", wire.TypeA, 0, 0, false))},
		{"random", benchNames, frame(client4, server4, query("H00007.example.", wire.TypeA, 0, 0, false))},
		{"hot/edns", 0, frame(client4, server4, query("H00007.example.", wire.TypeA, 0, 1232, false))},
		{"hot/ipv6", 0, frame(client6, server6, query("H00007.example.", wire.TypeA, 0, 0, false))},
		{"miss", 0, frame(client4, server4, query("nothing.example.", wire.TypeA, 0, 0, false))},
		{"malformed", 0, frame(client4, server4, query("H00007.example.", wire.TypeA, 0, 0, false)[:20])},
	} {
		b.Run(c.name, func(b *testing.B) {
			objs := newBench(b, c.names)
			ret, perRun, err := objs.Bench.Benchmark(c.frames, max(b.N, 1), b.ResetTimer)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(perRun.Nanoseconds()), "ns/run")
			b.ReportMetric(float64(ret), "verdict")
		})
	}
}

func newBench(tb testing.TB, names uint32) *benchObjects {
	spec, err := loadBench()
	if err != nil {
		tb.Fatal(err)
	}
	keys := newQuestionKeys(Seed{1})
	if err := errors.Join(spec.Variables[benchVarNames].Set(names), spec.Variables[benchVarWordKeys].Set(keys.words), spec.Variables[benchVarEndKeys].Set(keys.ends), spec.Variables[benchVarPlaces].Set(uint32(benchPlaces-1))); err != nil {
		tb.Fatal(err)
	}
	spec.Maps[benchMapAnswers].MaxEntries = benchPlaces
	objs := new(benchObjects)
	if err := spec.LoadAndAssign(objs, nil); err != nil {
		skipIfUnsupported(tb, explain("load", err))
		tb.Fatal(err)
	}
	tb.Cleanup(func() { objs.Close() })
	var v4, v6 xdpEndpoints
	v4[0] = xdpEndpoint{Addr: words(server4.Addr()), Port: 53 << 8}
	v6[0] = xdpEndpoint{Addr: words(server6.Addr()), Port: 53 << 8}
	if err := errors.Join(
		objs.Listen4.Set(v4), objs.Listen6.Set(v6), objs.Listen4Count.Set(uint32(1)), objs.Listen6Count.Set(uint32(1)),
		objs.Generation.Set(uint32(1)), objs.AnswersOn.Set(uint32(1)), objs.UdpPayload.Set(uint32(1232)), objs.ClientsNow.Set(uint32(xdpClientCLIENT_ASK|xdpClientCLIENT_ASK<<8)),
	); err != nil {
		tb.Fatal(err)
	}
	fillBench(tb, objs, keys)
	return objs
}

func fillBench(tb testing.TB, objs *benchObjects, keys *questionKeys) {
	t, err := mapTable(objs.Answers)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { t.close() })
	for i := range benchNames {
		a := Answer{
			Name: dnametest.Name(fmt.Sprintf("h%05d.example.", i)), Type: 1, Flags: wire.FlagQR | wire.FlagRA, Counts: [3]uint16{1, 0, 0},
			Records: binary.BigEndian.AppendUint32([]byte{0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4}, uint32(i)), TTLs: []uint16{6}, Expires: math.MaxUint32,
		}
		e := a.entry(uint64(i+1), 1)
		e.Key = uint64(keys.key(a.Name, a.Type, 0))
		if at := t.place(e.Key, 1, 0); at < 0 {
			tb.Fatalf("no place for number %d", i)
		} else {
			t.write(at, &e)
		}
	}
}

// skipIfUnsupported skips where the kernel lacks something or does not permit it. A program that the verifier rejects is
// at fault itself.
func skipIfUnsupported(tb testing.TB, err error) {
	if errors.As(err, new(*Rejection)) {
		tb.Fatal(err)
	}
	if errors.Is(err, ErrNotSupported) {
		tb.Skip(err)
	}
}
