package clock

import (
	"context"
	"crypto"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/shard/shardtest"
)

// rig is a watch of a clock that the test sets, and the root's keys, whose signature lives from 100 days to 121 days.
type rig struct {
	*Watch
	wall   atomic.Int64
	asked  atomic.Int32
	rights atomic.Int32
	log    shardtest.Buffer
	answer atomic.Pointer[[]byte] // to the next questions; nil: none comes
	good   []byte                 // the root's keys with that signature
	old    []byte                 // those with the one before, from 50 days to 71 days
}

const day = int64(24 * time.Hour / time.Second)

func newRig(t *testing.T) *rig {
	key := &dns.DNSKEY{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 3600}, Flags: 257, Protocol: 3, Algorithm: dns.ECDSAP256SHA256}
	private, err := key.Generate(256)
	if err != nil {
		t.Fatal(err)
	}
	signed := func(from int64) []byte {
		sig := &dns.RRSIG{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeRRSIG, Class: dns.ClassINET, Ttl: 3600}, Algorithm: key.Algorithm, KeyTag: key.KeyTag(),
			SignerName: ".", Inception: uint32(from * day), Expiration: uint32((from + 21) * day)}
		if err := sig.Sign(private.(crypto.Signer), []dns.RR{key}); err != nil {
			t.Fatal(err)
		}
		m := new(dns.Msg).SetQuestion(".", dns.TypeDNSKEY)
		m.Response, m.Answer = true, []dns.RR{key, sig}
		msg, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		return msg
	}
	anchors, err := dnssec.ParseAnchors("anchor", key.ToDS(dns.SHA256).String()+"\n")
	if err != nil {
		t.Fatal(err)
	}
	var set dnssec.Anchors
	set.Set(anchors[0])
	r := &rig{good: signed(100), old: signed(50)}
	r.answer.Store(&r.good)
	r.Watch = New(Options{
		Ask: func(context.Context) ([]byte, error) {
			r.asked.Add(1)
			if msg := r.answer.Load(); msg != nil {
				return *msg, nil
			}
			return nil, errors.New("no answer")
		},
		Root:   func() *dnssec.Anchor { return set.Closest(dname.Root()) },
		Wall:   r.wall.Load,
		Remedy: "set it",
		Right:  func() { r.rights.Add(1) },
		Log:    slog.New(slog.NewTextHandler(&r.log, nil)),
	})
	return r
}

// The clock is wrong where it is outside of the signature's life, either way, and right again once it is set. Old signatures
// of zones ask for the root's keys once in a while.
func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go r.Run(ctx)
		for n, c := range []struct {
			before, after int64 // what the clock says, in days
		}{{0, 110}, {300, 101}} {
			r.wall.Store(c.before * day)
			r.Suspect()
			time.Sleep(2 * pause)
			if w := r.Warning(); !strings.Contains(w, "the clock is wrong: it says 19") || !strings.Contains(w, "signed from 1970-04-11") || !strings.HasSuffix(w, ": set it") {
				t.Errorf("at day %d: %q", c.before, w)
			}
			r.wall.Store((c.before + 1) * day) // set, but not right
			time.Sleep(2 * look)
			if r.Warning() == "" || int(r.rights.Load()) != n {
				t.Errorf("at day %d: right %d times", c.before+1, r.rights.Load())
			}
			r.wall.Store(c.after * day)
			time.Sleep(2 * pause)
			if r.Warning() != "" || int(r.rights.Load()) != n+1 {
				t.Errorf("at day %d: %q, right %d times", c.after, r.Warning(), r.rights.Load())
			}
		}
		asked := r.asked.Load()
		for range 100 {
			r.Suspect()
			time.Sleep(time.Second)
		}
		if n := r.asked.Load() - asked; n == 0 || n > 3 || r.Warning() != "" {
			t.Errorf("in 100 seconds %d questions, and the warning %q", n, r.Warning())
		}
	})
}

// A server that has once handed out expired keys does not make the clock wrong for good: the next valid answer counts.
func TestExpiredAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go r.Run(ctx)
		r.wall.Store(110 * day)
		r.answer.Store(&r.old)
		r.Suspect()
		time.Sleep(3 * pause)
		if r.Warning() == "" || r.rights.Load() != 0 || strings.Count(r.log.String(), "the clock is wrong") != 1 {
			t.Errorf("%q, right %d times, log: %s", r.Warning(), r.rights.Load(), r.log.String())
		}
		r.answer.Store(&r.good)
		time.Sleep(2 * pause)
		if r.Warning() != "" || r.rights.Load() != 1 {
			t.Errorf("%q, right %d times", r.Warning(), r.rights.Load())
		}
	})
}

// Where the keys cannot be had after the clock was set, nobody knows that it is right.
func TestNoAnswerAfterJump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go r.Run(ctx)
		r.answer.Store(&r.old)
		r.Suspect()
		time.Sleep(2 * pause)
		r.answer.Store(nil)
		r.wall.Store(110 * day)
		time.Sleep(2 * pause)
		if r.Warning() == "" || r.rights.Load() != 0 {
			t.Errorf("%q, right %d times", r.Warning(), r.rights.Load())
		}
		r.answer.Store(&r.good)
		time.Sleep(2 * pause)
		if r.Warning() != "" || r.rights.Load() != 1 {
			t.Errorf("then %q, right %d times", r.Warning(), r.rights.Load())
		}
	})
}
