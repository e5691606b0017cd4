package ebpf

import (
	"bytes"
	"testing"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
)

// Two answers whose records stand beside their entries, with 2^32 publications between them: each name keeps its own
// records, and still has them when the other one is replaced.
func TestRootAnswersBeyond32Bits(t *testing.T) {
	p := load(t, Options{Entries: 2})
	large := func(owner string, fill byte) Answer {
		a := addressA(p.now())
		a.Name, a.TTLs, a.Records = dnametest.Name(owner), nil, bytes.Repeat([]byte{fill}, 200)
		return a
	}
	ask := func(owner string, fill byte) {
		t.Helper()
		q := query(owner, wire.TypeA, 0, 0, false)
		if got, _ := p.answer(t, frame(client4, server4, q)); !bytes.Equal(got[len(q):], bytes.Repeat([]byte{fill}, 200)) {
			t.Errorf("%s has other records than its own: %x", owner, got[len(q):])
		}
	}
	p.publish(t, large("one.example.", 1))
	p.number += 0xffffffff // what many publications would do
	p.publish(t, large("two.example.", 2))
	ask("one.example.", 1)
	ask("two.example.", 2)
	for fill := byte(3); fill < 6; fill++ { // the table is full of them
		p.publish(t, large("two.example.", fill))
		ask("one.example.", 1)
		ask("two.example.", fill)
	}
}
