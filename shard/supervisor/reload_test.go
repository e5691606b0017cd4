package supervisor

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/control"
	"heimdall/shard"
	"heimdall/shard/worker"
)

// edit replaces parts of the configuration file.
func (r *rig) edit(pairs ...string) {
	r.t.Helper()
	text, err := os.ReadFile(r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(r.path, []byte(strings.NewReplacer(pairs...).Replace(string(text))), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// rcode asks for a name.
func (r *rig) rcode(name string) int {
	r.t.Helper()
	c := r.dial("udp")
	if err := c.WriteMsg(new(dns.Msg).SetQuestion(name, dns.TypeA)); err != nil {
		r.t.Fatal(err)
	}
	m, err := c.ReadMsg()
	if err != nil {
		r.t.Fatal(err)
	}
	return m.Rcode
}

// A shard whose mailbox is full when the configuration changes gets it none the less.
func TestReloadWithAFullMailbox(t *testing.T) {
	r := newRig(t)
	r.answered(r.dial("udp"), "www.example.")
	r.edit("[recursion]", "[recursion]\nallow = []")
	hold, held := make(chan struct{}), make(chan struct{})
	sh := r.workers()[0].Current()
	sh.Post(func() { close(held); <-hold })
	<-held
	for sh.Post(func() {}) {
	}
	done := make(chan error)
	go func() {
		_, err := r.Reload(context.Background())
		done <- err
	}()
	until(t, "the reload to apply", func() bool { return len(r.config().Recursion.Allow) == 0 })
	time.Sleep(20 * time.Millisecond)
	close(hold)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if rcode := r.rcode("www.example."); rcode != dns.RcodeRefused {
		t.Errorf("the old rules apply: RCODE %d", rcode)
	}
}

// A shard that takes no commands while the configuration changes takes it over as soon as it does.
func TestReloadOfALateShard(t *testing.T) {
	r := newRig(t)
	r.answered(r.dial("udp"), "www.example.")
	w := r.workers()[0]
	hold, held := make(chan struct{}), make(chan struct{})
	w.Current().Post(func() { close(held); <-hold })
	<-held
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	next := *r.config()
	next.Recursion.Allow = nil
	r.inForce.Store(&next)
	settled := make(chan struct{})
	if err := w.Insist(ctx, func(*shard.Shard) { t.Error("given up, and called") }); err == nil {
		t.Error("a shard that hangs was told")
	}
	go func() {
		r.catchUp(w)
		close(settled)
	}()
	close(hold)
	<-settled
	if rcode := r.rcode("www.example."); rcode != dns.RcodeRefused {
		t.Errorf("the old rules apply: RCODE %d", rcode)
	}
}

// A shard that is started again has the limits of the cache that a reload has brought, not those of the start.
func TestRestartKeepsTheCachesLimits(t *testing.T) {
	r := newRig(t)
	r.edit("[cache]", "[cache]\nmax_ttl = \"60s\"")
	if _, err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		c := r.dial("udp")
		r.answered(c, "www.example.")
		c.WriteMsg(new(dns.Msg).SetQuestion("www.example.", dns.TypeA)) // out of the cache
		if m, err := c.ReadMsg(); err != nil || len(m.Answer) != 1 || m.Answer[0].Header().Ttl > 60 {
			t.Errorf("%v, %v", m, err)
		}
		r.die()
		until(t, "the restart", func() bool { return r.workers()[0].State() == worker.Running })
	}
}

// A reload that contradicts what waits for a restart is refused as a whole.
func TestReloadThatContradictsWhatWaits(t *testing.T) {
	r := newRig(t)
	r.answered(r.dial("udp"), "www.example.")
	good, err := os.ReadFile(r.path)
	if err != nil {
		t.Fatal(err)
	}
	// From the next start on the daemon listens elsewhere; until then it would ask itself.
	old := r.addr
	r.edit("listen = [\""+old+"\"]", "listen = [\"127.0.0.9:1\"]", "zone = \".\"", "zone = \"other.\"", "[recursion]", "[recursion]\nallow = []")
	r.edit("servers = [", "servers = [\""+old+"\", ")
	_, err = r.Reload(t.Context())
	e, ok := err.(*control.Error)
	if !ok || e.Code != control.CodeInvalidConfig || !slices.ContainsFunc(e.Details, func(line string) bool { return strings.Contains(line, "it would ask itself") }) {
		t.Errorf("%v", err)
	}
	if rcode := r.rcode("new.example."); rcode != dns.RcodeSuccess {
		t.Errorf("the new rules apply: RCODE %d", rcode)
	}
	if err := os.WriteFile(r.path, good, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := r.Reload(t.Context()); err != nil || len(out.Applied) != 0 {
		t.Errorf("%+v, %v", out, err)
	}
}
