package mailbox

import (
	"sync"
	"testing"
)

func TestOrderAndLimit(t *testing.T) {
	var got []int
	woken := 0
	m := New(3, func() { woken++ })
	for i := range 5 {
		if ok := m.Post(func() { got = append(got, i) }); ok != (i < 3) {
			t.Fatalf("command %d accepted: %v", i, ok)
		}
	}
	if n := m.Run(); n != 3 || len(got) != 3 || got[0] != 0 || got[2] != 2 {
		t.Fatalf("ran %d: %v", n, got)
	}
	if woken != 1 {
		t.Fatalf("woken %d times for one batch", woken)
	}
	if m.Run() != 0 {
		t.Fatal("a command ran twice")
	}
}

// A command may post another one: it runs in the next round.
func TestPostFromCommand(t *testing.T) {
	ran := 0
	m := New(8, func() {})
	m.Post(func() { m.Post(func() { ran++ }) })
	if m.Run(); ran != 0 {
		t.Fatal("the inner command ran in the same round")
	}
	if m.Run(); ran != 1 {
		t.Fatal("the inner command did not run")
	}
}

// Commands that are put wait for one call of Wake, and come before what is posted after them.
func TestPut(t *testing.T) {
	var got []int
	woken := 0
	m := New(3, func() { woken++ })
	m.Wake()
	for i := range 4 {
		if ok := m.Put(func() { got = append(got, i) }); ok != (i < 3) {
			t.Fatalf("command %d accepted: %v", i, ok)
		}
	}
	if woken != 0 {
		t.Fatal("woken without a call of Wake")
	}
	m.Wake()
	m.Wake()
	if woken != 1 || m.Run() != 3 {
		t.Fatalf("woken %d times, ran %v", woken, got)
	}
	m.Wake()
	m.Put(func() { got = append(got, 4) })
	m.Post(func() { got = append(got, 5) })
	m.Wake()
	if woken != 2 || m.Run() != 2 || got[3] != 4 || got[4] != 5 {
		t.Fatalf("woken %d times, ran %v", woken, got)
	}
}

func TestManySenders(t *testing.T) {
	wake := make(chan struct{}, 1)
	m := New(16, func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	})
	const senders, each = 8, 1000
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			for range each {
				done := make(chan struct{})
				for !m.Post(func() { close(done) }) {
				}
				<-done
			}
		})
	}
	finished := make(chan struct{})
	go func() { wg.Wait(); close(finished) }()
	total := 0
	for total < senders*each {
		select {
		case <-wake:
			total += m.Run()
		case <-finished:
			total += m.Run()
		}
	}
	if total != senders*each {
		t.Fatalf("ran %d commands", total)
	}
}

func TestEmptyRunAllocates0(t *testing.T) {
	m := New(1, func() {})
	if n := testing.AllocsPerRun(100, func() { m.Run() }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}
