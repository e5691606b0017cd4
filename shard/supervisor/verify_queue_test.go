package supervisor

import (
	"io"
	"log/slog"
	"net/netip"
	"testing"

	"heimdall/core/config"
	"heimdall/core/resolver"
)

func jobOf(client string) verifyJob {
	return verifyJob{job: &resolver.Job{Client: netip.MustParseAddr(client)}, done: func() {}, wake: func() {}}
}

// One client's jobs fill the queue as far as they may: another client's single job is next, and finds room.
func TestJobsTakeTurns(t *testing.T) {
	q := newJobQueue(1, 32, 56)
	accepted := 0
	for range 2 * verifyQueue {
		if _, ok := q.put(jobOf("192.0.2.1")); ok {
			accepted++
		}
	}
	if want := verifyQueue * verifyShare / 100; accepted != want || q.waiting() != want {
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
	q := newJobQueue(1, 32, 56)
	last := map[string]*resolver.Job{}
	for n := 0; q.waiting() < verifyQueue; n++ {
		client := [...]string{"192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3"}[n%4]
		j := jobOf(client)
		if _, ok := q.put(j); ok {
			last[client] = j.job
		}
	}
	evicted, ok := q.put(jobOf("192.0.2.9"))
	if !ok || evicted.job == nil || evicted.job != last["192.0.2.1"] || q.waiting() != verifyQueue {
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

// Jobs that lose their place go back to their shard, and so do those that end in a panic, as empty ones do.
func TestVerifierGivesAllBack(t *testing.T) {
	c := config.Default()
	v, err := newVerifier(c, 1, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	const jobs = 3 * verifyQueue
	back := make(chan struct{}, jobs)
	accepted := 0
	for n := range jobs {
		j := &resolver.Job{Client: netip.AddrFrom4([4]byte{192, 0, 2, byte(n % 5)})}
		if v.Verify(j, func() { back <- struct{}{} }, func() {}) {
			accepted++
		}
	}
	v.close()
	if len(back) != accepted {
		t.Errorf("%d of %d jobs came back", len(back), accepted)
	}
}
