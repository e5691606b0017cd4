package ebpf

import (
	"bytes"
	"fmt"
	"testing"

	"heimdall/core/dname/dnametest"
)

// beside are n answers whose records are all beside their entries.
func beside(now uint32, n int) []Answer {
	list := make([]Answer, n)
	for i := range list {
		list[i] = addressA(now)
		list[i].Name, list[i].Records = dnametest.Name(fmt.Sprintf("n%d.example.", i)), bytes.Repeat([]byte{1}, 300)
	}
	return list
}

// Answers with bodies that fill the table are taken again, all of them and as often as need be, after a flush too.
func TestRootRepublishedInFull(t *testing.T) {
	for _, room := range []int{1, 7, 256} {
		p := load(t, Options{Entries: room})
		now := p.now()
		list := beside(now, room)
		for round := range 6 {
			if n, err := p.Publish(p.Generation(), now, list); err != nil || n != room || p.Answers() != room {
				t.Fatalf("%d answers, round %d: published %d, holds %d: %v", room, round, n, p.Answers(), err)
			}
			if round%2 == 1 {
				if err := p.Flush(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// An answer whose body the kernel does not take keeps the others out of nothing, and what was filed under its key stays.
func TestRootPublishedBesideARefusal(t *testing.T) {
	const room = 4
	p := load(t, Options{Entries: room})
	now := p.now()
	list := beside(now, room)
	p.publish(t, list[:2]...)
	held := map[uint64]bool{}
	for number := uint64(1 << 50); ; number++ { // until the map of bodies is full
		b := xdpBody{Number: number}
		if p.objs.Bodies.Put(number, &b) != nil {
			break
		}
		if held[number] = true; len(held) > 1000 {
			t.Fatal("the map has no end")
		}
	}
	list[0].Records[0] = 2
	list[3].Records = addressA(now).Records // in its entry
	n, err := p.Publish(p.Generation(), now, list)
	if n != 1 || err == nil {
		t.Errorf("published %d: %v", n, err)
	}
	for i, want := range []bool{true, true, false, true} {
		if got := p.Holds(&list[i]); got != want {
			t.Errorf("answer %d: held %v", i, got)
		}
	}
	for number := range held {
		p.objs.Bodies.Delete(number)
	}
	if n, err := p.Publish(p.Generation(), now, list); n != room || err != nil {
		t.Errorf("published %d: %v", n, err)
	}
}
