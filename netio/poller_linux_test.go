package netio

import (
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func newPoller(t *testing.T) *Poller {
	t.Helper()
	p, err := NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func newPipe(t *testing.T) (r, w int) {
	t.Helper()
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fds[0]); unix.Close(fds[1]) })
	return fds[0], fds[1]
}

func TestPollerReportsToken(t *testing.T) {
	p := newPoller(t)
	r, w := newPipe(t)
	token := Token(KindOutTCP, 1<<32-1)
	if err := p.Add(r, Readable, token); err != nil {
		t.Fatal(err)
	}
	var events [4]Event
	if n := p.Wait(events[:], 0); n != 0 {
		t.Fatalf("idle: %d events: %v", n, events[:n])
	}
	unix.Write(w, []byte{1})
	for range 2 { // level-triggered
		if n := p.Wait(events[:], -1); n != 1 || events[0] != (Event{token, Readable}) {
			t.Fatalf("%d events: %v", n, events[:n])
		}
	}
	if err := p.Mod(r, 0, token); err != nil {
		t.Fatal(err)
	}
	if n := p.Wait(events[:], 0); n != 0 {
		t.Fatalf("watched for nothing: %d events: %v", n, events[:n])
	}
	if err := p.Del(r); err != nil {
		t.Fatal(err)
	}
	if err := p.Del(r); err == nil {
		t.Error("a second Del succeeds")
	}
	if n := p.Wait(nil, -1); n != 0 {
		t.Errorf("no room: %d events", n)
	}
}

func TestPollerTimeout(t *testing.T) {
	for _, old := range []bool{false, true} {
		p := newPoller(t)
		p.noPwait2 = old
		var events [4]Event
		if n := p.Wait(events[:], time.Microsecond); n != 0 {
			t.Errorf("without epoll_pwait2 %v: %d events", old, n)
		}
		p.Wake()
		if n := p.Wait(events[:], time.Hour); n != 1 || events[0].Kind() != KindWake {
			t.Errorf("without epoll_pwait2 %v: %d events: %v", old, n, events[:n])
		}
	}
	for d, want := range map[time.Duration]int{-5: -1, 1: 1, time.Millisecond: 1, time.Millisecond + 1: 2, 1 << 62: 1<<31 - 1} {
		if got := millis(d); got != want {
			t.Errorf("millis(%d) = %d, want %d", d, got, want)
		}
	}
}

func TestPollerMergesWakes(t *testing.T) {
	p := newPoller(t)
	var events [4]Event
	for range 3 {
		for range 5 {
			p.Wake()
		}
		if n := p.Wait(events[:], -1); n != 1 || events[0].Kind() != KindWake {
			t.Fatalf("%d events: %v", n, events[:n])
		}
		if n := p.Wait(events[:], 0); n != 0 {
			t.Fatalf("%d more events: %v", n, events[:n])
		}
	}
}

// A wake-up is never lost: whatever was put down before Wake is seen by the look
// that follows an event.
func TestPollerWakeFromOtherThreads(t *testing.T) {
	const senders, each = 4, 2000
	p := newPoller(t)
	var (
		mu   sync.Mutex
		mail int
		wg   sync.WaitGroup
	)
	for range senders {
		wg.Go(func() {
			for range each {
				mu.Lock()
				mail++
				mu.Unlock()
				p.Wake()
			}
		})
	}
	var events [4]Event
	for seen := 0; seen < senders*each; {
		p.Wait(events[:], -1)
		mu.Lock()
		seen += mail
		mail = 0
		mu.Unlock()
	}
	wg.Wait()
}

func TestPollerAllocs(t *testing.T) {
	p := newPoller(t)
	r, w := newPipe(t)
	unix.Write(w, []byte{1})
	if err := p.Add(r, Readable, Token(KindUDP, 1)); err != nil {
		t.Fatal(err)
	}
	events := make([]Event, 8)
	if n := testing.AllocsPerRun(100, func() {
		p.Wake()
		p.Wait(events, 0)
		p.Wait(events, time.Millisecond)
		p.Wait(events, -1)
		p.Mod(r, Readable, Token(KindUDP, 1))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkPollerLook(b *testing.B) {
	p, err := NewPoller()
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	events := make([]Event, 8)
	for b.Loop() {
		p.Wait(events, 0)
	}
}
