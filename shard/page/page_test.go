package page

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"heimdall/core/control"
)

// The ring holds an hour and no more, and tells what is new since a point, oldest first.
func TestHistory(t *testing.T) {
	var h history
	if c := h.after(0); len(c.At) != 0 {
		t.Fatalf("%d points of nothing", len(c.At))
	}
	for i := range points + 100 {
		h.add(point{at: int64(i + 1), queries: float64(i)})
	}
	all := h.after(0)
	if len(all.At) != points || all.At[0] != 101 || all.At[points-1] != int64(points+100) || all.Queries[0] != 100 {
		t.Errorf("%d points from %d to %d", len(all.At), all.At[0], all.At[len(all.At)-1])
	}
	if c := h.after(int64(points + 98)); len(c.At) != 2 || c.At[0] != int64(points+99) {
		t.Errorf("since then: %v", c.At)
	}
	h.add(point{at: 7}) // the clock was set back
	if c := h.after(all.Last); len(c.At) != 1 || c.At[0] != 7 || c.Last != all.Last+1 {
		t.Errorf("with a clock that was set back: %v", c.At)
	}
	// A browser may ask for what follows a point of another process.
	for _, since := range []int64{-1, all.Last + 2} {
		if c := h.after(since); len(c.At) != points {
			t.Errorf("since %d: %d points", since, len(c.At))
		}
	}
}

// Rates are those between two samples; counters that begin again give none, and what nothing is known of is -1.
func TestRates(t *testing.T) {
	before, after := &Counts{Queries: 100, Hits: 50, Misses: 10}, &Counts{Queries: 600, Hits: 140, Misses: 20, Answered: 50}
	after.AtOnce.RecordN(1000, 100)
	p := pointOf(before, after, time.Unix(7, 0), 5*time.Second)
	if p.queries != 100 || p.kernel != 10 || p.hit != 0.9 || p.p50 < 1 || p.p50 > 1.1 || p.wait99 != -1 || p.at != 7 {
		t.Errorf("%+v", p)
	}
	if p := pointOf(after, before, time.Unix(7, 0), time.Second); p.queries != 0 || p.hit != -1 || p.p50 != -1 {
		t.Errorf("counters that fell: %+v", p)
	}
}

// However many names are asked for, those asked for most are told, with their share, and the rest take no memory.
func TestTop(t *testing.T) {
	var top top
	client := netip.MustParseAddr("192.0.2.1")
	for round := range 50 {
		list := []Sample{{client, "often.example.", 500}}
		for i := range 1000 {
			list = append(list, Sample{netip.AddrFrom4([4]byte{10, byte(round), byte(i >> 8), byte(i)}), fmt.Sprintf("n%d-%d.example.", round, i), 1})
		}
		top.add(list)
	}
	names := top.shares(top.names)
	if len(names) != shown || names[0].What != "often.example." || names[0].Share < 0.3 || names[0].Share > 0.35 {
		t.Errorf("%v", names)
	}
	if clients := top.shares(top.clients); clients[0].What != "192.0.2.1" {
		t.Errorf("%v", clients)
	}
	if len(top.names) > maxCounted || len(top.clients) > maxCounted {
		t.Errorf("%d names, %d clients", len(top.names), len(top.clients))
	}
	for range 1000 {
		top.add(nil)
	}
	if len(top.names) > 0 || len(top.clients) > 0 {
		t.Errorf("after a long silence: %d names, %d clients", len(top.names), len(top.clients))
	}
	var none Page
	if _, err := json.Marshal(none.top.shares(none.top.names)); err != nil {
		t.Error(err)
	}
}

// FuzzHost asserts that only names of this machine are taken.
func FuzzHost(f *testing.F) {
	for _, host := range []string{"127.0.0.1:80", "[::1]:8053", "localhost", "evil.example", "127.0.0.1.evil.example:80", "[::ffff:127.0.0.1]", "0.0.0.0", "[::1%lo]", ""} {
		f.Add(host)
	}
	f.Fuzz(func(t *testing.T, host string) {
		if !local(host) {
			return
		}
		for _, suffix := range []string{".evil.example", "evil"} {
			if local(host + suffix) {
				t.Fatalf("%q is taken", host+suffix)
			}
		}
	})
}

// silent is a daemon that does not answer.
type silent struct{}

func (silent) Status(context.Context) (*control.Status, error) { return nil, context.DeadlineExceeded }
func (silent) Upstreams(context.Context) (*control.Upstreams, error) {
	return nil, context.DeadlineExceeded
}
func (silent) Zones(context.Context) (*control.ZoneList, error) { return nil, context.DeadlineExceeded }
func (silent) XDP(context.Context) (*control.XDP, error)        { return nil, context.DeadlineExceeded }

// A daemon whose shards do not answer still has a page, which says so.
func TestSilentDaemon(t *testing.T) {
	p := New(Options{
		Source: silent{}, Counts: func(context.Context) *Counts { return nil }, Samples: func(context.Context, bool) []Sample { return nil },
		Top: func() bool { return true },
	})
	defer p.Close()
	r := httptest.NewRequest("GET", "http://127.0.0.1/data.json", nil)
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	var d struct {
		Trouble string
		History struct{ At []int64 }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || w.Code != 200 || d.Trouble == "" || len(d.History.At) != 0 {
		t.Errorf("%d, %v: %s", w.Code, err, w.Body)
	}
}

// hanging is a daemon of which each question waits for a shard that is stuck.
type hanging struct{}

func (hanging) Status(ctx context.Context) (*control.Status, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
func (hanging) Upstreams(ctx context.Context) (*control.Upstreams, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
func (hanging) Zones(context.Context) (*control.ZoneList, error) {
	return &control.ZoneList{Zones: make([]control.ZoneInfo, 1)}, nil
}
func (hanging) XDP(context.Context) (*control.XDP, error) { return new(control.XDP), nil }

// A shard that is stuck costs the page less than a browser waits for, and what does not need the shard is shown.
func TestHangingDaemon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Page{o: Options{Source: hanging{}, Top: func() bool { return false }}}
		begun := time.Now()
		s := p.slowly()
		if took := time.Since(begun); took > 10*time.Second { // of the test's own clock
			t.Errorf("asked for %v", took)
		}
		if s.Trouble == "" || s.ZoneCount != 1 {
			t.Errorf("%+v", s)
		}
	})
}
