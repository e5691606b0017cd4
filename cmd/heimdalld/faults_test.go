package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// fault is something that an upstream may do wrong.
type fault struct {
	name    string
	handler func(w dns.ResponseWriter, q *dns.Msg)
	right   bool // clients get the right answer all the same
}

// lie answers with the right response after f has spoilt it.
func lie(f func(r *dns.Msg)) func(dns.ResponseWriter, *dns.Msg) {
	return func(w dns.ResponseWriter, q *dns.Msg) {
		r := right(q)
		f(r)
		w.WriteMsg(r)
	}
}

func right(q *dns.Msg) *dns.Msg {
	r := new(dns.Msg).SetReply(q)
	r.RecursionAvailable = true
	r.Answer = []dns.RR{record("%s 3600 IN A 192.0.2.1", q.Question[0].Name)}
	return r
}

func rcode(code int) func(dns.ResponseWriter, *dns.Msg) {
	return func(w dns.ResponseWriter, q *dns.Msg) { w.WriteMsg(new(dns.Msg).SetRcode(q, code)) }
}

// octets answers with a message of its own, in place of one that begins like the query.
func octets(f func(q []byte) []byte) func(dns.ResponseWriter, *dns.Msg) {
	return func(w dns.ResponseWriter, q *dns.Msg) {
		raw, _ := right(q).Pack()
		w.Write(f(raw))
	}
}

// from answers over UDP, with what would be right, from another address or port; over TCP not at all.
func from(t *testing.T, addr string) func(dns.ResponseWriter, *dns.Msg) {
	c, err := net.ListenPacket("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return func(w dns.ResponseWriter, q *dns.Msg) {
		if to, ok := w.RemoteAddr().(*net.UDPAddr); ok {
			raw, _ := right(q).Pack()
			c.WriteTo(raw, to)
		}
	}
}

func overTCP(w dns.ResponseWriter) bool {
	_, ok := w.RemoteAddr().(*net.TCPAddr)
	return ok
}

func truncated(w dns.ResponseWriter, q *dns.Msg) {
	r := new(dns.Msg).SetReply(q)
	r.Truncated = true
	w.WriteMsg(r)
}

// truncatedThen truncates over UDP and does what f does over TCP.
func truncatedThen(f func(w dns.ResponseWriter, q *dns.Msg)) func(dns.ResponseWriter, *dns.Msg) {
	return func(w dns.ResponseWriter, q *dns.Msg) {
		if overTCP(w) {
			f(w, q)
			return
		}
		truncated(w, q)
	}
}

func silent(dns.ResponseWriter, *dns.Msg) {}

func swapCase(s string) string {
	return strings.Map(func(c rune) rune {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			c ^= 0x20
		}
		return c
	}, s)
}

func faults(t *testing.T) []fault {
	return []fault{
		{name: "silent", handler: silent},
		{name: "slow", handler: func(w dns.ResponseWriter, q *dns.Msg) { time.Sleep(5 * time.Second); answerA(w, q) }},
		{name: "wrong-id", handler: lie(func(r *dns.Msg) { r.Id++ })},
		{name: "wrong-name", handler: lie(func(r *dns.Msg) { r.Question[0].Name = "other.example." })},
		{name: "wrong-type", handler: lie(func(r *dns.Msg) { r.Question[0].Qtype = dns.TypeAAAA })},
		{name: "wrong-class", handler: lie(func(r *dns.Msg) { r.Question[0].Qclass = dns.ClassHESIOD })},
		{name: "no-question", handler: lie(func(r *dns.Msg) { r.Question = nil })},
		{name: "wrong-port", handler: from(t, "127.0.0.1:0")},
		{name: "wrong-address", handler: from(t, "127.0.0.9:0")},
		{name: "no-qr", handler: lie(func(r *dns.Msg) { r.Response = false })},
		{name: "wrong-opcode", handler: lie(func(r *dns.Msg) { r.Opcode = dns.OpcodeNotify })},
		{name: "wrong-case", handler: lie(func(r *dns.Msg) { r.Question[0].Name = swapCase(r.Question[0].Name) }), right: true},
		{name: "always-truncated", handler: truncated},
		{name: "truncated-silent", handler: truncatedThen(silent)},
		{name: "truncated-close", handler: truncatedThen(func(w dns.ResponseWriter, q *dns.Msg) { w.Close() })},
		{name: "truncated-rubbish", handler: truncatedThen(octets(func(b []byte) []byte { return b[:len(b)-3] }))},
		{name: "truncated-tcp", handler: truncatedThen(answerA), right: true},
		{name: "rubbish", handler: octets(func(b []byte) []byte { return noise(b[:2], 200) })},
		{name: "cut", handler: octets(func(b []byte) []byte { return b[:len(b)-2] })},
		{name: "trailing", handler: octets(func(b []byte) []byte { return append(b, "trailing"...) })},
		{name: "looping", handler: octets(func(b []byte) []byte { return loop(b) })},
		{name: "header-only", handler: octets(func(b []byte) []byte { return b[:12] })},
		{name: "eleven", handler: octets(func(b []byte) []byte { return b[:11] })},
		{name: "empty", handler: octets(func(b []byte) []byte { return nil })},
		{name: "refused", handler: rcode(dns.RcodeRefused)},
		{name: "servfail", handler: rcode(dns.RcodeServerFailure)},
		{name: "notimp", handler: rcode(dns.RcodeNotImplemented)},
		{name: "formerr", handler: rcode(dns.RcodeFormatError)},
		{name: "notauth", handler: rcode(dns.RcodeNotAuth)},
	}
}

func noise(head []byte, n int) []byte {
	rnd := rand.New(rand.NewPCG(3, uint64(binary.BigEndian.Uint16(head))))
	for range n {
		head = append(head, byte(rnd.Uint32()))
	}
	return head
}

// loop makes the owner of the answer a pointer to itself.
func loop(b []byte) []byte {
	at := len(b) - 16 // a pointer, type, class, TTL, length, address
	binary.BigEndian.PutUint16(b[at:], 0xc000|uint16(at))
	return b
}

// An upstream that is dead, slow, lying or broken, of each kind there is and all at once: clients of a zone
// with no other server get SERVFAIL with an extended error, or the old answer; where there is a second server
// they get its answer; what is cached is answered all the time; and nothing is left behind.
func TestUpstreamFaults(t *testing.T) {
	t.Parallel()
	list := faults(t)
	good := newUpstream(t, nil)
	toml := "[resolver]\ntimeout = \"3s\"\n"
	ups := make([]*upstream, len(list))
	for i, f := range list {
		ups[i] = newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
			r := right(q)
			if strings.HasPrefix(strings.ToLower(q.Question[0].Name), "old") {
				r.Answer[0].Header().Ttl = 1
			}
			w.WriteMsg(r)
		})
		toml += forward(f.name+".single.", ups[i]) + forward(f.name+".pair.", ups[i], good)
	}
	toml += fmt.Sprintf("\n[[forward]]\nzone = \"dead.single.\"\nservers = [%q]\n", freePort(t)) +
		fmt.Sprintf("\n[[forward]]\nzone = \"dead.pair.\"\nservers = [%q, %q]\n", freePort(t), good.Addr)
	d := start(t, toml)
	for i, f := range list {
		for _, name := range []string{"old.", "cached."} {
			stillRight(t, d, name+f.name+".single.")
		}
		ups[i].Set(f.handler)
	}
	before := descriptors(d)
	var all sync.WaitGroup
	for _, f := range append(list, fault{name: "dead"}) {
		all.Go(func() {
			if err := suffer(d, f); err != nil {
				t.Errorf("%s: %v", f.name, err)
			}
		})
	}
	all.Wait()
	unhurt(t, d)
	until(t, "nothing to be in flight", func() bool { return inFlight(d) == 0 })
	// Streams towards servers stay open for a while (64 at most), and source ports are replaced.
	if after := descriptors(d); after > before+64+64 {
		t.Errorf("%d descriptors are open, %d were before", after, before)
	}
}

// suffer asks for names of the zones that a fault has.
func suffer(d *daemon, f fault) error {
	ask := func(name string) (*dns.Msg, error) {
		q := question(name, dns.TypeA)
		q.SetEdns0(1232, false)
		return exchange(d.addr, q, "udp")
	}
	isRight := func(r *dns.Msg) bool { return len(r.Answer) == 1 && r.Answer[0].(*dns.A).A.String() == "192.0.2.1" }
	for i := range 2 {
		r, err := ask(fmt.Sprintf("n%d.%s.single.", i, f.name))
		if err != nil {
			return fmt.Errorf("the only server: %w", err)
		}
		if _, extended := ede(r); !(f.right && isRight(r)) && (f.right || r.Rcode != dns.RcodeServerFailure || !extended) {
			return fmt.Errorf("the only server: %v", r)
		}
		if r, err = ask(fmt.Sprintf("n%d.%s.pair.", i, f.name)); err != nil || !isRight(r) {
			return fmt.Errorf("one of two servers: %v, %w", r, err)
		}
		if f.name == "dead" {
			continue
		}
		if r, err = ask("cached." + f.name + ".single."); err != nil || !isRight(r) || r.Answer[0].Header().Ttl < 60 {
			return fmt.Errorf("a cached name: %v, %w", r, err)
		}
	}
	if f.name == "dead" {
		return nil
	}
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		r, err := ask("old." + f.name + ".single.")
		if err != nil || !isRight(r) {
			return fmt.Errorf("a name that was cached: %v, %w", r, err)
		}
		if code, _ := ede(r); f.right || code == dns.ExtendedErrorCodeStaleAnswer {
			return nil
		}
		if time.Now().After(end) { // its TTL of 1 s is over
			return fmt.Errorf("an old name, without the extended error for stale answers: %v", r)
		}
	}
}

// ede returns the first extended error of a response.
func ede(r *dns.Msg) (code uint16, ok bool) {
	if opt := r.IsEdns0(); opt != nil {
		for _, o := range opt.Option {
			if e, is := o.(*dns.EDNS0_EDE); is {
				return e.InfoCode, true
			}
		}
	}
	return 0, false
}

// inFlight returns how many clients wait for other servers, by the daemon's own account.
func inFlight(d *daemon) int {
	var s struct {
		InFlight int `json:"in_flight"`
	}
	d.ctlJSON(&s, "status")
	return s.InFlight
}

// descriptors returns how many files and sockets the daemon has open.
func descriptors(d *daemon) int {
	d.t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.cmd.Process.Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	return len(list)
}
