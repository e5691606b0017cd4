package resolver

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/wire"
)

// trace resolves with a trace and returns it.
func (n *network) trace(q *Question) *Trace {
	n.t.Helper()
	got := new(Trace)
	if n.m.Anew(int64(n.now), q, NoWaiter, got) != Started {
		n.t.Fatal("not traced")
	}
	if n.m.Anew(int64(n.now), q, NoWaiter, new(Trace)) != Full {
		n.t.Fatal("two traces at a time")
	}
	n.perform()
	n.run(10 * time.Second)
	if got.Answer.Msg == nil {
		n.t.Fatal("the trace has no end")
	}
	if n.m.tracer.on() {
		n.t.Error("the hook stays on")
	}
	return got
}

func told(tr *Trace) string {
	var b strings.Builder
	for _, s := range tr.Steps {
		fmt.Fprintf(&b, "%d %s %s %v: %s\n", s.Depth, s.Kind, s.Name, s.Type, s.Text)
	}
	return b.String()
}

const tracedWorld = `
192.0.2.1 .
. NS a.root.
a.root. A 192.0.2.1
example. NS ns.other.
other. NS ns.other.
ns.other. A 192.0.2.2
192.0.2.2 other.
ns.other. A 192.0.2.2
192.0.2.2 example.
www.example. CNAME host.example.
host.example. A 198.51.100.1
`

// A trace begins at the root each time, whatever is known, and its answer is for nobody else.
func TestTraceBeginsAtRoot(t *testing.T) {
	n := world(t, Options{PlainNames: true}, tracedWorld)
	n.servers[two] = func(q sent) []reply {
		records := []dns.RR{}
		for _, text := range []string{"host.example. 60 A 198.51.100.1", "www.example. 60 CNAME host.example.", "ns.other. 60 A 192.0.2.2"} {
			rr, _ := dns.NewRR(text)
			records = append(records, rr)
		}
		if dns.IsSubDomain("other.", strings.ToLower(q.msg.Question[0].Name)) {
			return authority("other.", &records)(q)
		}
		return authority("example.", &records)(q)
	}
	q := question("www.example.", wire.TypeA)
	for range 2 {
		tr := n.trace(q)
		text := told(tr)
		at := 0
		for _, want := range []string{
			"0 query www.example. A: over UDP, EDNS, 0x20", "0 referral www.example. A: to the servers of example.",
			"0 response www.example. A: NOERROR AA; answer 1", "0 alias www.example. A: to host.example.", "0 answer host.example. A: NOERROR",
		} {
			i := strings.Index(text[at:], want)
			if i < 0 {
				t.Fatalf("%q is not told, or not in its turn:\n%s", want, text)
			}
			at += i
		}
		if tr.Steps[0].Server != one || tr.Answer.Cacheable || tr.Answer.Failed || tr.Queries < 2 || tr.Took <= 0 {
			t.Errorf("trace %+v", tr)
		}
	}
	// Clients that ask meanwhile have their own task.
	if n.m.Anew(int64(n.now), q, NoWaiter, new(Trace)) != Started || n.begin(q, 1) != Started {
		t.Error("a client joins the trace")
	}
	// Those who want to know anew and do not watch share a task, which is neither of these.
	if n.m.Anew(int64(n.now), q, 2, nil) != Started || n.m.Anew(int64(n.now), q, 3, nil) != Joined {
		t.Error("two who ask anew do not share a task, or join another one")
	}
	n.idle()
}

// Each way in which a server is of no use is told.
func TestTraceTellsTrouble(t *testing.T) {
	for _, tt := range []struct {
		name   string
		server serve
		want   []string
	}{
		{"silent", func(sent) []reply { return nil }, []string{"timeout", "failure"}},
		{"refuses", rcode(dns.RcodeRefused), []string{"response www.example. A: REFUSED", "retry www.example. A: of no use: refused", "failure"}},
		{"truncates", func(q sent) []reply {
			return answering(func(m *dns.Msg) { m.Truncated = !q.stream }, "an: www.example. 300 A 198.51.100.1")(q)
		}, []string{"asked again over TCP", "over TCP", "answer"}},
		{"no EDNS", func(q sent) []reply {
			if q.msg.IsEdns0() != nil {
				return answering(func(m *dns.Msg) { m.Rcode, m.Extra = dns.RcodeFormatError, nil })(q)
			}
			return answering(nil, "an: www.example. 300 A 198.51.100.1")(q)
		}, []string{"asked again without", "answer"}},
		{"malformed", func(q sent) []reply {
			r := answering(nil, "an: www.example. 300 A 198.51.100.1")(q)
			raw, _ := r[0].msg.Pack()
			return []reply{{raw: raw[:len(raw)-3]}}
		}, []string{"response www.example. A: malformed", "of no use: malformed"}},
	} {
		n := newNetwork(t, forwardTo("192.0.2.1"))
		n.servers[one] = tt.server
		text := told(n.trace(question("www.example.", wire.TypeA)))
		for _, want := range tt.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is not in\n%s", tt.name, want, text)
			}
		}
		n.idle()
	}
}

// The steps and the records of a response are bounded.
func TestTraceIsBounded(t *testing.T) {
	var records []string
	for i := range 2 * maxTraceRecords {
		records = append(records, fmt.Sprintf("an: www.example. 300 A 198.51.100.%d", i))
	}
	n := newNetwork(t, forwardTo("192.0.2.1"))
	n.servers[one] = answering(nil, records...)
	tr := n.trace(question("www.example.", wire.TypeA))
	i := slices.IndexFunc(tr.Steps, func(s Step) bool { return s.Kind == "response" })
	if i < 0 || len(tr.Steps[i].Records) != maxTraceRecords {
		t.Errorf("steps %+v", tr.Steps)
	}
	n.m.tracer = tracer{watch: tr, gen: n.m.tasks.at(0).gen}
	task := n.m.tasks.at(0)
	for range 2 * maxTraceSteps {
		n.m.tracer.step(0, task, "x")
	}
	if len(tr.Steps) != maxTraceSteps || tr.Dropped == 0 {
		t.Errorf("%d steps, %d dropped", len(tr.Steps), tr.Dropped)
	}
}
