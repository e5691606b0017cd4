package notice

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"heimdall/core/resolver"
	"heimdall/shard/shardtest"
)

// logged waits for so many lines that hold part.
func logged(t *testing.T, b *shardtest.Buffer, part string, want int) {
	t.Helper()
	n := 0
	shardtest.Until(t, fmt.Sprintf("%d lines that tell of %q", want, part), func() bool {
		n = strings.Count(b.String(), part)
		return n >= want
	})
	if n > want {
		t.Fatalf("%d lines tell of %q, want %d", n, part, want)
	}
}

// However many clients are not accepted, the log says so once in a while.
func TestStarvedIsLoggedOnce(t *testing.T) {
	b := new(shardtest.Buffer)
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
	logged(t, b, "could not be accepted", 1)
	s.next.Store(0) // a minute later
	s.Tell()
	logged(t, b, "could not be accepted", 2)
}

// Each forwarder that removes records is told of once, whichever shards notice it, and again after Forget. How many are told
// apart is bounded.
func TestForwardersAreToldOfOnce(t *testing.T) {
	b := new(shardtest.Buffer)
	f := NewBareForwarders(slog.New(slog.NewTextHandler(b, nil)))
	one := resolver.Notice{Server: netip.MustParseAddrPort("192.0.2.1:53"), Removes: true}
	other := resolver.Notice{Server: netip.MustParseAddrPort("192.0.2.2:53"), Removes: true}
	for range 3 {
		f.Tell(one)
		f.Tell(other)
	}
	logged(t, b, "forwarder=192.0.2.1:53", 1)
	logged(t, b, "forwarder=192.0.2.2:53", 1)
	one.Removes = false
	f.Tell(one) // too early
	f.Forget()
	one.Removes = true
	f.Tell(one)
	logged(t, b, "forwarder=192.0.2.1:53", 2)
	for i := range 3 * maxBareForwarders {
		f.Tell(resolver.Notice{Server: netip.MustParseAddrPort(fmt.Sprintf("[2001:db8::%x]:53", i+1)), Removes: true})
		if len(f.known) > maxBareForwarders {
			t.Fatalf("%d forwarders are told apart", len(f.known))
		}
	}
}
