package ebpf

import (
	"bytes"
	"testing"

	"heimdall/core/wire"
)

// A query whose answer is replaced while it is copied is passed as it came, octet for octet, and a shard answers it.
func TestRootTornAnswers(t *testing.T) {
	p := load(t, Options{Entries: 16})
	a := addressA(p.now())
	a.Records, a.TTLs = bytes.Repeat([]byte{1}, 300), nil
	p.publish(t, a)
	a.DO = true
	p.publish(t, a)
	torn := 0
	for i := range p.table.slots {
		e := &p.table.slots[i]
		if number, beside := e.body(); e.Serial != 0 && beside { // as if another had just taken its place
			if err := p.objs.Bodies.Delete(number); err != nil {
				t.Fatal(err)
			}
			torn++
		}
	}
	if torn != 2 {
		t.Fatalf("%d bodies", torn)
	}
	odd := query("wWw.eXample.", wire.TypeA, wire.FlagRD|wire.FlagTC|5, 4321, true)
	copy(odd[len(odd)-6:], []byte{0xfe, 0, 0x91, 0x23}) // an extended RCODE, and flags without a meaning
	for _, q := range [][]byte{
		query("wWw.eXample.", wire.TypeA, wire.FlagRD, 0, false), query("www.EXAMPLE.", wire.TypeA, 0, 1232, false), odd,
	} {
		for _, in := range [][]byte{frame(client4, server4, q), frame(client6, server6, q), frame(client6, server6, q, 0x8100)} {
			p.try(t, in, Pass, Exit(xdpExitPASS_TORN)) // which compares the packet
		}
	}
}
