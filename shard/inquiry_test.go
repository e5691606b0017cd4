package shard

import (
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core"
	"heimdall/core/dname"
	"heimdall/core/resolver"
	"heimdall/core/wire"
	"heimdall/shard/shardtest"
)

// A question from inside gets one response, on the shard's thread, whether others have to be asked or not; its place is
// free afterwards.
func TestQuestionsFromInside(t *testing.T) {
	r := newRig(t, 1, nil)
	r.run(t)
	for i := range 2 * inquiries {
		name, err := dname.ParseText(nil, []string{"localhost.", "www.example."}[i%2])
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan *dns.Msg, 2)
		watch := new(resolver.Trace)
		r.on(t, func() {
			q := core.Inquiry{Question: resolver.Question{Name: name, Type: wire.TypeA, Class: wire.ClassIN}, Watch: watch}
			if !r.Resolve(&q, func(msg []byte, more bool) core.Room {
				m := new(dns.Msg)
				if err := m.Unpack(msg); err != nil || more {
					t.Errorf("% x, %v: %v", msg, more, err)
				}
				got <- m
				return core.Taken
			}) {
				t.Errorf("question %d is not begun", i)
			}
		})
		select {
		case m := <-got:
			if len(m.Answer) != 1 || len(watch.Steps) == 0 || watch.Route == "" {
				t.Fatalf("response %v, observed %+v", m, watch)
			}
		case <-time.After(shardtest.Patience):
			t.Fatal("no response")
		}
	}
	r.on(t, func() {
		for i, to := range r.receivers {
			if to != nil {
				t.Errorf("receiver %d is still held", i)
			}
		}
	})
}

// Without a place for one more target nothing is begun.
func TestNoPlaceForAQuestionFromInside(t *testing.T) {
	r := newRig(t, 1, nil)
	r.run(t)
	r.on(t, func() {
		var last core.Target
		for to := r.targets.hold(target{}); to != 0; to = r.targets.hold(target{}) {
			last = to
		}
		name, err := dname.ParseText(nil, "localhost.")
		if err != nil {
			t.Error(err)
		}
		q := core.Inquiry{Question: resolver.Question{Name: name, Type: wire.TypeA, Class: wire.ClassIN}}
		answered := 0
		to := func([]byte, bool) core.Room { answered++; return core.Taken }
		if r.Resolve(&q, to) || answered != 0 || r.receivers[0] != nil {
			t.Errorf("begun, or its receiver is held; %d responses", answered)
		}
		if r.targets.end(last); !r.Resolve(&q, to) || answered != 1 {
			t.Errorf("with a place again: %d responses", answered)
		}
	})
}
