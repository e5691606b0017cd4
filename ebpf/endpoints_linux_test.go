package ebpf

import (
	"net/netip"
	"testing"

	"heimdall/core/wire"
)

// The list of endpoints is told again and again, for addresses come and go: while it stays the same no query is missed.
func TestRootSameEndpoints(t *testing.T) {
	p := load(t, Options{Entries: 16})
	p.publish(t, addressA(p.now()))
	list := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.9:54"), server4, server6}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := p.SetEndpoints(list); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	q := query("www.example.", wire.TypeA, 0, 0, false)
	for range 2000 {
		for _, in := range [][]byte{frame(client4, server4, q), frame(client6, server6, q)} {
			if v, _, err := p.Try(in); err != nil || v != Send {
				t.Errorf("verdict %d: %v", v, err)
			}
		}
	}
	close(stop)
	<-stopped
	// Other endpoints take effect at once.
	if err := p.SetEndpoints([]netip.AddrPort{server6}); err != nil {
		t.Fatal(err)
	}
	p.try(t, frame(client4, server4, q), Pass, Exit(xdpExitPASS_NOT_OURS))
	p.try(t, frame(client6, server6, q), Send, Exit(xdpExitSEND_ANSWER))
}

// After a change that has failed midway, the same list as before is no news to the caller, but to the program.
func TestRootEndpointsAfterFailure(t *testing.T) {
	p := load(t, Options{Entries: 16})
	p.publish(t, addressA(p.now()))
	before := []netip.AddrPort{server4}
	if err := p.SetEndpoints(before); err != nil {
		t.Fatal(err)
	}
	whole := p.objs.Listen6
	p.objs.Listen6 = p.objs.Listen6Count // too small
	err := p.SetEndpoints([]netip.AddrPort{netip.MustParseAddrPort("192.0.2.9:54")})
	p.objs.Listen6 = whole
	if err == nil {
		t.Fatal("a variable that is too small takes the endpoints")
	}
	if err := p.SetEndpoints(before); err != nil {
		t.Fatal(err)
	}
	p.try(t, frame(client4, server4, query("www.example.", wire.TypeA, 0, 0, false)), Send, Exit(xdpExitSEND_ANSWER))
}

// A program that stays in a driver when it is closed lets everything pass.
func TestRootClosedProgramPasses(t *testing.T) {
	p := load(t, Options{Entries: 16})
	p.publish(t, addressA(p.now()))
	in := frame(client4, server4, query("www.example.", wire.TypeA, 0, 0, false))
	p.try(t, in, Send, Exit(xdpExitSEND_ANSWER))
	stays, err := p.objs.Heimdall.Clone()
	if err != nil {
		t.Fatal(err)
	}
	defer stays.Close()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if v, _, err := stays.Test(in); err != nil || Verdict(v) != Pass {
		t.Errorf("verdict %d: %v", v, err)
	}
}
