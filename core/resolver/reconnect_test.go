package resolver

import (
	"testing"

	"github.com/miekg/dns"

	"heimdall/core/resolver/servers"
	"heimdall/core/wire"
)

// What has failed while there was no network is forgotten by Reconnect.
func TestReconnect(t *testing.T) {
	w := newSignedWorld(t, nil)
	w.m.SetFailureTTL(300)
	cut := true
	w.unsent = func(Action) Obstacle {
		if cut {
			return NoRoute
		}
		return NoObstacle
	}
	ask := func() int {
		_, m := w.resolve(question("www.example.test.", wire.TypeA))
		return m.Rcode
	}
	remembered := func() (failures, barred int) {
		for _, slot := range w.m.failing.slots {
			if slot.retry > int64(w.now) {
				failures++
			}
		}
		for i := range int32(w.m.servers.Len()) {
			if s := w.m.servers.At(i); s.Barred(int64(w.now)) || s.Down() {
				barred++
			}
		}
		return failures, barred
	}
	for range 8 {
		if got := ask(); got != dns.RcodeServerFailure {
			t.Fatalf("without a network: %s", dns.RcodeToString[got])
		}
	}
	if failures, barred := remembered(); failures == 0 || barred == 0 {
		t.Fatalf("%d failures and %d servers out of reach are remembered", failures, barred)
	}
	cut = false
	w.m.Reconnect(int64(w.now))
	if failures, barred := remembered(); failures+barred > 0 || w.m.families != (servers.Families{}) {
		t.Errorf("%d failures and %d servers out of reach are still remembered", failures, barred)
	}
	if got := ask(); got != dns.RcodeSuccess {
		t.Errorf("after Reconnect: %s", dns.RcodeToString[got])
	}
	w.idle()
}
