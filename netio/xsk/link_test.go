package xsk

import (
	"encoding/binary"
	"testing"
)

func neighbour(n uint32) *link {
	frame := make([]byte, ethernetSize)
	binary.BigEndian.PutUint32(frame[8:], n) // from 00:00:n
	frame[12] = 8
	l := new(link)
	l.answering(frame, ethernetSize)
	return l
}

// A number leads to the link that it was given for, or to none: never to another.
func TestLinks(t *testing.T) {
	var table links
	type number struct {
		index      uint32
		generation uint16
	}
	numbers := map[uint32]number{}
	check := func() (found int) {
		for n, at := range numbers {
			if l := table.get(at.index, at.generation); l != nil {
				found++
				if !l.same(neighbour(n)) {
					t.Fatalf("link %d has become %x", n, l.head)
				}
			}
		}
		return found
	}
	for n := range uint32(100) {
		index, generation := table.number(neighbour(n))
		numbers[n] = number{index, generation}
		if again, g := table.number(neighbour(n)); again != index || g != generation {
			t.Fatalf("link %d has the numbers %d.%d and %d.%d", n, index, generation, again, g)
		}
	}
	if found := check(); found < 95 {
		t.Errorf("%d links of 100 are left", found)
	}
	for n := uint32(100); n < 5000; n++ {
		index, generation := table.number(neighbour(n))
		numbers[n] = number{index, generation}
	}
	if found := check(); found < linkSets*linkWays/2 || found > linkSets*linkWays {
		t.Errorf("%d links are left in a table of %d", found, linkSets*linkWays)
	}
}

func TestLinkTags(t *testing.T) {
	frame := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xa8, 0, 5, 0x81, 0, 0x20, 7, 8, 0}
	var l link
	l.answering(frame, len(frame))
	want := [maxEthernet + 2]byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xa8, 0, 5, 0x81, 0, 0x20, 7, 8, 0}
	if l.head != want || l.size != 22 {
		t.Errorf("%x, %d octets", l.head, l.size)
	}
}

func TestScope(t *testing.T) {
	for _, index := range []uint32{0, 1, 1<<linkBits - 1} {
		for _, way := range []int{0, 1, MaxWays - 1} {
			for _, generation := range []uint16{0, 1, 1<<generationBits - 1} {
				i, w, g := splitScope(makeScope(index, way, generation))
				if i != index || w != way || g != generation {
					t.Errorf("%d %d %d reads back as %d %d %d", index, way, generation, i, w, g)
				}
			}
		}
	}
}
