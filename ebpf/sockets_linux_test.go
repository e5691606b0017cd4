package ebpf

import (
	"errors"
	"testing"

	"heimdall/core/wire"
)

// A kernel without AF_XDP runs the program, which passes queries to the network stack.
func TestRootWithoutSockets(t *testing.T) {
	p := loadBy(t, func(o Options) (*Program, error) { return loadFor(o, false) }, Options{Entries: 16})
	p.try(t, frame(client4, server4, query("www.example.", wire.TypeA, 0, 0, false)), Pass, Exit(xdpExitPASS_MISS))
	if err := p.SetSockets(1, []int{0}); !errors.Is(err, ErrNotSupported) {
		t.Errorf("AF_XDP sockets: %v", err)
	}
}
