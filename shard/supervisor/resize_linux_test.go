package supervisor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"

	"heimdall/core"
	"heimdall/core/control"
	"heimdall/ebpf"
	"heimdall/shard"
	"heimdall/shard/admin"
	"heimdall/shard/hot"
	"heimdall/shard/settings"
	"heimdall/shard/worker"
)

// shards writes a number of shards into the configuration.
func (r *rig) shards(n int) {
	r.t.Helper()
	text, err := os.ReadFile(r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	before, rest, _ := bytes.Cut(text, []byte("shards = "))
	_, after, _ := bytes.Cut(rest, []byte("\n"))
	if err := os.WriteFile(r.path, fmt.Appendf(nil, "%sshards = %d\n%s", before, n, after), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// resized changes the number of shards.
func (r *rig) resized(n int) {
	r.t.Helper()
	r.shards(n)
	r.applied(r.Reload(r.t.Context()))
	if got := len(r.workers()); got != n {
		r.t.Fatalf("%d shards, want %d", got, n)
	}
}

func (r *rig) applied(out *control.Reload, err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	if len(out.NeedsRestart) > 0 && strings.Contains(fmt.Sprint(out.Warnings), ebpf.ErrNotSupported.Error()) {
		r.t.Skip(out.Warnings)
	}
	if len(out.NeedsRestart)+len(out.Warnings) > 0 {
		r.t.Fatalf("%+v", out)
	}
}

// hold keeps the next shard of a worker from starting until the function that it returns is called.
func hold(t *testing.T, w *worker.Worker) (release func()) {
	wait, newEngine := make(chan struct{}), w.Shard.NewEngine
	w.Shard.NewEngine = func(p core.Performer) (*core.Engine, error) { <-wait; return newEngine(p) }
	release = sync.OnceFunc(func() { close(wait) })
	t.Cleanup(release)
	return release
}

// reload reloads while the test goes on; the function that it returns waits for the end.
func (r *rig) reload() (wait func()) {
	var out *control.Reload
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		out, err = r.Reload(context.Background())
	}()
	return func() {
		r.t.Helper()
		<-done
		r.applied(out, err)
	}
}

func kill(t *testing.T, w *worker.Worker) {
	t.Helper()
	if err := w.Do(context.Background(), func(*shard.Shard) { panic("for the test") }); !errors.Is(err, worker.ErrRestarting) {
		t.Fatalf("a command that panics returns %v", err)
	}
}

// counted is how many queries all shards that there ever were have counted.
func (r *rig) counted() uint64 {
	r.t.Helper()
	st, err := admin.New(r.adminOptions()).Status(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return st.Totals.Queries
}

// Streams that come from a shard that goes away wait for one that is being started again.
func TestRootResizeToAShardThatRestarts(t *testing.T) {
	r := newRig(t)
	r.resized(2)
	var streams []*dns.Conn
	for range 24 {
		c := r.dial("tcp")
		r.answered(c, "n.example.")
		streams = append(streams, c)
	}
	list, err := admin.New(r.adminOptions()).Shards(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	moving := list.Shards[1].TCPConns
	if moving == 0 || moving == len(streams) {
		t.Fatalf("%d of %d streams are at the second shard", moving, len(streams))
	}
	stays := r.workers()[0]
	release := hold(t, stays)
	kill(t, stays)
	until(t, "the restart", func() bool { return stays.State() == worker.Starting })
	r.shards(1)
	wait := r.reload()
	until(t, "the other shard to be gone", func() bool { return len(r.workers()) == 1 })
	release()
	wait()
	alive := 0
	for _, c := range streams {
		c.WriteMsg(new(dns.Msg).SetQuestion("n.example.", dns.TypeA))
		if m, err := c.ReadMsg(); err == nil && len(m.Answer) == 1 {
			alive++
		}
	}
	if alive != moving {
		t.Errorf("%d streams are open, want the %d that had nothing to do with the panic", alive, moving)
	}
	if n := stays.History.Restarts(); n != 1 {
		t.Errorf("%d restarts", n)
	}
}

// A shard that panics while it goes away is started again for what is in its sockets, goes away all the same, and its
// restart is counted on when there is one of its number again.
func TestRootPanicWhileLeaving(t *testing.T) {
	r := newRig(t)
	r.resized(2)
	leaves := r.workers()[1]
	release := hold(t, leaves)
	kill(t, leaves)
	until(t, "the restart", func() bool { return leaves.State() == worker.Starting })
	// Both sockets get queries; what is in that of the second shard waits.
	var waiting []*dns.Conn
	for i := range 32 {
		c := r.dial("udp")
		if err := c.WriteMsg(new(dns.Msg).SetQuestion(fmt.Sprintf("n%d.example.", i), dns.TypeA)); err != nil {
			t.Fatal(err)
		}
		waiting = append(waiting, c)
	}
	r.shards(1)
	wait := r.reload()
	until(t, "the shard to leave", func() bool { return leaves.Ending() })
	release()
	for _, c := range waiting {
		r.answered(c, "")
	}
	wait()
	before := r.counted()
	r.resized(2)
	if n := r.workers()[1].History.Restarts(); n != 1 {
		t.Errorf("%d restarts of the second shard are counted", n)
	}
	if after := r.counted(); after < before || before < 32 {
		t.Errorf("%d queries are counted, then %d", before, after)
	}
	r.answered(r.dial("udp"), "n.example.")
}

// A new shard that cannot be had leaves all as it was, and a later change succeeds.
func TestRootResizeThatFails(t *testing.T) {
	r := newRig(t)
	r.steering = hot.NewSteering(ebpf.ByCPU) // so that programs are attached before descriptors run out
	r.resized(2)
	stream := r.dial("tcp")
	r.answered(stream, "n.example.")
	next := *r.config()
	next.CPU.Shards.Count = 4
	plan, err := settings.Plan(r.machine, &next)
	if err != nil {
		t.Fatal(err)
	}
	files := openFiles(t)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	few := limit
	few.Cur = uint64(files + 3)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	err = r.resize(t.Context(), plan)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, unix.EMFILE) || len(r.workers()) != 2 {
		t.Fatalf("%v, %d shards", err, len(r.workers()))
	}
	if after := openFiles(t); after > files+2 {
		t.Errorf("%d descriptors were open, %d are", files, after)
	}
	for i := range 32 {
		r.answered(r.dial([]string{"udp", "tcp"}[i%2]), fmt.Sprintf("n%d.example.", i))
	}
	r.answered(stream, "n.example.")
	if err := r.resize(t.Context(), plan); err != nil || len(r.workers()) != 4 {
		t.Fatalf("%v, %d shards", err, len(r.workers()))
	}
	r.answered(stream, "n.example.")
}

// Changes leave no memory, descriptor or thread behind.
func TestRootResizesLeaveNothingBehind(t *testing.T) {
	r := newRig(t)
	cycle := func() {
		r.resized(3)
		for i := range 30 {
			r.answered(r.dial([]string{"udp", "tcp"}[i%2]), fmt.Sprintf("n%d.example.", i))
		}
		r.resized(1)
	}
	cycle()
	files, maps := openFiles(t), mappings(t)
	const cycles = 9
	for range cycles {
		cycle()
	}
	// The rig's clients stay open until the end of the test: 30 a cycle, and their server's ends with TCP.
	until(t, "descriptors to be closed", func() bool { return openFiles(t) <= files+cycles*45+20 })
	// Threads of the runtime come and go, each with mappings of its own.
	until(t, "memory to be given back", func() bool { return mappings(t) <= maps+60 })
}

func mappings(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(text, []byte("\n"))
}

// What the admin socket and the metrics tell does not fall when there are fewer shards.
func TestRootTotalsAfterResize(t *testing.T) {
	r := newRig(t)
	r.resized(2)
	for i := range 40 {
		r.answered(r.dial("udp"), fmt.Sprintf("n%d.example.", i%5))
	}
	total := func() (queries, hits uint64) {
		st, err := admin.New(r.adminOptions()).Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		cs, err := admin.New(r.adminOptions()).CacheStats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if cs.Total.Hits != st.Totals.Hits || cs.Total.BytesCapacity > 1<<20 {
			t.Errorf("%+v, %+v", cs.Total, st.Totals)
		}
		return st.Totals.Queries, st.Totals.Hits
	}
	queries, hits := total()
	if queries != 40 || hits < 20 {
		t.Errorf("%d queries, %d hits", queries, hits)
	}
	for _, n := range []int{1, 3, 1, 2} {
		r.resized(n)
		if q, h := total(); q != queries || h != hits {
			t.Errorf("%d shards: %d queries and %d hits, before %d and %d", n, q, h, queries, hits)
		}
	}
	kill(t, r.workers()[1])
	until(t, "the restart", func() bool {
		w := r.workers()[1]
		return w.History.Restarts() == 1 && w.State() == worker.Running
	})
	if q, h := total(); q != queries || h != hits {
		t.Errorf("after a panic: %d queries and %d hits, before %d and %d", q, h, queries, hits)
	}
}
