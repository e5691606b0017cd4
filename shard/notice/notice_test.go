package notice

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"heimdall/core/resolver"
)

// patience bounds every wait. It is a guard against hanging, not a claim about speed.
const patience = 30 * time.Second

// logbook keeps what is logged.
type logbook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logbook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// lines waits for so many lines that hold part.
func (b *logbook) lines(t *testing.T, part string, want int) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		b.mu.Lock()
		n := strings.Count(b.buf.String(), part)
		b.mu.Unlock()
		if n > want || n < want && time.Now().After(end) {
			t.Fatalf("%d lines tell of %q, want %d", n, part, want)
		}
		if n == want {
			return
		}
	}
}

// However many clients are not accepted, the log says so once in a while.
func TestStarvedIsLoggedOnce(t *testing.T) {
	b := new(logbook)
	s := NewStarved(slog.New(slog.NewTextHandler(b, nil)))
	var shards sync.WaitGroup
	for range 4 {
		shards.Go(func() {
			for range 100 {
				s.Tell()
			}
		})
	}
	shards.Wait()
	b.lines(t, "could not be accepted", 1)
	s.next.Store(0) // a minute later
	s.Tell()
	b.lines(t, "could not be accepted", 2)
}

// Each forwarder that removes records is told of once, whichever shards notice it, and again after Forget. How many are told
// apart is bounded.
func TestForwardersAreToldOfOnce(t *testing.T) {
	b := new(logbook)
	f := NewBareForwarders(slog.New(slog.NewTextHandler(b, nil)))
	one := resolver.Notice{Server: netip.MustParseAddrPort("192.0.2.1:53"), Removes: true}
	other := resolver.Notice{Server: netip.MustParseAddrPort("192.0.2.2:53"), Removes: true}
	for range 3 {
		f.Tell(one)
		f.Tell(other)
	}
	b.lines(t, "forwarder=192.0.2.1:53", 1)
	b.lines(t, "forwarder=192.0.2.2:53", 1)
	one.Removes = false
	f.Tell(one) // too early
	f.Forget()
	one.Removes = true
	f.Tell(one)
	b.lines(t, "forwarder=192.0.2.1:53", 2)
	for i := range 3 * maxBareForwarders {
		f.Tell(resolver.Notice{Server: netip.MustParseAddrPort(fmt.Sprintf("[2001:db8::%x]:53", i+1)), Removes: true})
		if len(f.known) > maxBareForwarders {
			t.Fatalf("%d forwarders are told apart", len(f.known))
		}
	}
}
