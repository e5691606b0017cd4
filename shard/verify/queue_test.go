package verify

import (
	"net/netip"
	"testing"

	"heimdall/core/resolver"
)

func jobOf(client string) queued {
	return queued{job: &resolver.Job{Client: netip.MustParseAddr(client)}, done: func() {}, wake: func() {}}
}

// One client's jobs fill the queue as far as they may: another client's single job is next, and finds room.
func TestJobsTakeTurns(t *testing.T) {
	q := newJobQueue(1, &Options{IPv4Bits: 32, IPv6Bits: 56})
	accepted := 0
	for range 2 * maxWaiting {
		if _, ok := q.put(jobOf("192.0.2.1")); ok {
			accepted++
		}
	}
	if want := maxWaiting * maxShare / 100; accepted != want || q.waiting() != want {
		t.Errorf("%d jobs of one client wait, want %d", q.waiting(), want)
	}
	running, _ := q.take(true)
	if _, ok := q.put(jobOf("192.0.2.2")); !ok {
		t.Fatal("no room for another client")
	}
	q.ran(&running)
	if next, ok := q.take(false); !ok || next.job.Client != netip.MustParseAddr("192.0.2.2") {
		t.Errorf("next is a job of %v", next.job.Client)
	}
}

// In a full queue a newcomer takes the place of the newest job of who has most.
func TestJobsMakeRoom(t *testing.T) {
	q := newJobQueue(1, &Options{IPv4Bits: 32, IPv6Bits: 56})
	last := map[string]*resolver.Job{}
	for n := 0; q.waiting() < maxWaiting; n++ {
		client := [...]string{"192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3"}[n%4]
		j := jobOf(client)
		if _, ok := q.put(j); ok {
			last[client] = j.job
		}
	}
	evicted, ok := q.put(jobOf("192.0.2.9"))
	if !ok || evicted.job == nil || evicted.job != last["192.0.2.1"] || q.waiting() != maxWaiting {
		t.Errorf("accepted: %v, %d wait", ok, q.waiting())
	}
	taken := map[netip.Addr]int{}
	for range 7 {
		j, ok := q.take(false)
		if !ok {
			t.Fatal("no job is left")
		}
		taken[j.job.Client]++
		q.ran(&j)
	}
	for client, n := range taken {
		want := 2
		if client == netip.MustParseAddr("192.0.2.9") {
			want = 1 // all it has
		}
		if n != want {
			t.Errorf("%v has %d of 7 turns, want %d", client, n, want)
		}
	}
}
