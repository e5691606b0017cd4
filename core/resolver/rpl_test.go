package resolver

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/wire"
)

// mismatch says in what m differs from the entry; loose leaves out what clients do not depend on.
func (e *rplEntry) mismatch(m *dns.Msg, stream, loose bool) string {
	var want, got dns.Question
	if len(e.msg.Question) > 0 {
		want = e.msg.Question[0]
	}
	if len(m.Question) > 0 {
		got = m.Question[0]
	}
	words := slices.Clone(e.match)
	if slices.Contains(words, "all") {
		words = append(words, "qtype", "qname", "flags", "rcode", "answer", "authority", "additional")
	}
	if slices.Contains(words, "question") {
		words = append(words, "qtype", "qname")
	}
	for _, w := range words {
		bad := false
		switch w {
		case "qtype":
			bad = want.Qtype != got.Qtype
		case "qname":
			bad = !strings.EqualFold(want.Name, got.Name)
		case "subdomain":
			bad = !dns.IsSubDomain(strings.ToLower(want.Name), strings.ToLower(got.Name))
		case "rcode":
			bad = m.Rcode != e.msg.Rcode
		case "flags":
			a, b := e.msg.MsgHdr, m.MsgHdr
			bad = a.Response != b.Response || a.RecursionDesired != b.RecursionDesired || a.RecursionAvailable != b.RecursionAvailable ||
				a.Truncated != b.Truncated || a.CheckingDisabled != b.CheckingDisabled || a.AuthenticatedData != b.AuthenticatedData || a.Authoritative != b.Authoritative
		case "answer":
			bad = !slices.Equal(recordLines(e.msg.Answer), recordLines(m.Answer))
		case "authority":
			bad = !loose && !slices.Equal(recordLines(e.msg.Ns), recordLines(m.Ns)) || loose && soaOwner(e.msg.Ns) != "" && soaOwner(e.msg.Ns) != soaOwner(m.Ns)
		case "additional":
			bad = !loose && !slices.Equal(recordLines(e.msg.Extra), recordLines(m.Extra))
		case "DO":
			bad = m.IsEdns0() == nil || !m.IsEdns0().Do()
		case "noedns":
			bad = m.IsEdns0() != nil
		case "UDP":
			bad = stream
		case "TCP":
			bad = !stream
		}
		if bad {
			return w
		}
	}
	return ""
}

func soaOwner(rrs []dns.RR) string {
	for _, rr := range rrs {
		if rr.Header().Rrtype == dns.TypeSOA {
			return strings.ToLower(rr.Header().Name)
		}
	}
	return ""
}

func recordLines(rrs []dns.RR) (out []string) {
	for _, rr := range rrs {
		if rr.Header().Rrtype != dns.TypeOPT {
			rr = dns.Copy(rr)
			rr.Header().Ttl = 0
			out = append(out, strings.ToLower(rr.String()))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// play replays a scenario against a Machine and returns what went wrong.
func (s *scenario) play(t *testing.T) (trouble string) {
	if len(s.options.RootHints) == 0 {
		s.options.RootHints = DefaultHints()
	}
	n := newNetwork(t, s.options)
	n.wall = s.wall
	step := s.steps[0].id
	logf := func(format string, args ...any) {
		if testing.Verbose() {
			t.Logf("[%d %.3f] "+format, append([]any{step, n.now.Seconds() - 3600}, args...)...)
		}
	}
	valid := func(ip netip.Addr) (out []*rplEntry) {
		for _, r := range s.ranges {
			if step >= r.from && step <= r.to && (!ip.IsValid() || len(r.addrs) == 0 || slices.Contains(r.addrs, ip)) {
				out = append(out, r.entries...)
			}
		}
		return out
	}
	server := func(q sent) []reply {
		question := q.msg.Question[0]
		var found *rplEntry
		for _, e := range valid(q.to.Addr()) {
			if e.mismatch(q.msg, q.stream, false) == "" {
				found = e
				break
			}
		}
		for i := range s.steps {
			st := &s.steps[i]
			if found == nil && st.kind == "REPLY" && st.id >= step && !st.used && st.entry.mismatch(q.msg, q.stream, false) == "" {
				st.used, found = true, st.entry
			}
		}
		var r *dns.Msg
		if found == nil {
			if r = s.fallback(q.msg, len(valid(q.to.Addr())) > 0, valid(netip.Addr{})); r == nil {
				r = new(dns.Msg).SetRcode(q.msg, dns.RcodeServerFailure)
			}
		} else {
			if slices.Contains(found.adjust, "do_not_answer") || found.raw {
				logf("%s %s @%v: silence", question.Name, dns.TypeToString[question.Qtype], q.to.Addr())
				return nil
			}
			r = found.msg.Copy()
			r.Id = q.msg.Id
			if slices.Contains(found.adjust, "copy_query") || len(r.Question) > 0 && strings.EqualFold(r.Question[0].Name, question.Name) {
				r.Question = q.msg.Question
			}
			r.Authoritative = r.Authoritative || !s.usesAA && (len(r.Answer) > 0 || soaOwner(r.Ns) != "")
		}
		if o := q.msg.IsEdns0(); o != nil {
			r.SetEdns0(4096, o.Do())
		}
		logf("%s %s @%v: %v", question.Name, dns.TypeToString[question.Qtype], q.to.Addr(), brief(r))
		return []reply{{msg: r, after: 10 * time.Millisecond}}
	}
	n.fallback = server
	var pending []uint32
	asked := map[uint32]*rplEntry{}
	for i, st := range s.steps {
		step = st.id
		switch st.kind {
		case "QUERY":
			if s.unbound && i+1 < len(s.steps) {
				step = s.steps[i+1].id
			}
			q := question(st.entry.msg.Question[0].Name, wire.Type(st.entry.msg.Question[0].Qtype))
			q.DO, q.CD = st.entry.do, st.entry.msg.CheckingDisabled
			id := uint32(st.id)
			asked[id], pending = st.entry, append(pending, id)
			if !st.entry.msg.RecursionDesired {
				n.answers[id], _ = n.m.Snoop(int64(n.now), q)
				break
			}
			n.begin(q, id)
			for end := n.now + 9*time.Second; n.now < end; n.run(10 * time.Millisecond) {
				if _, done := n.answers[id]; done || i+1 < len(s.steps) && s.steps[i+1].kind == "QUERY" && end-n.now < 8*time.Second {
					break
				}
			}
		case "CHECK_ANSWER":
			why := "no query to check"
			for at, id := range pending {
				a, done := n.answers[id]
				if !done {
					why = "no answer"
					continue
				}
				m := new(dns.Msg)
				if err := m.Unpack(a.Msg); err != nil {
					return err.Error()
				}
				m.RecursionDesired, m.CheckingDisabled = asked[id].msg.RecursionDesired, asked[id].msg.CheckingDisabled
				m.AuthenticatedData = a.AD && (asked[id].do || asked[id].msg.AuthenticatedData)
				if why = st.entry.mismatch(m, false, true); why == "" {
					pending = slices.Delete(pending, at, at+1)
					break
				}
				why = fmt.Sprintf("step %d: %s differs\n want %s\n got  %s %s", st.id, why, brief(st.entry.msg), brief(m), a.EDEText)
			}
			if why != "" {
				return why
			}
		case "TIME_PASSES":
			if len(st.args) > 1 && st.args[0] == "ELAPSE" {
				sec, _ := strconv.ParseFloat(st.args[1], 64)
				n.run(time.Duration(sec * float64(time.Second)))
			}
		case "TRAFFIC":
			n.run(300 * time.Millisecond)
		}
	}
	n.idle()
	return ""
}

// fallback answers what resolvers ask or do not ask as they please.
func (s *scenario) fallback(q *dns.Msg, up bool, all []*rplEntry) *dns.Msg {
	r, name := new(dns.Msg).SetReply(q), q.Question[0].Name
	r.Authoritative = true
	switch typ := q.Question[0].Qtype; {
	case typ == dns.TypeNS && name == ".":
		for _, h := range s.options.RootHints {
			r.Answer = []dns.RR{&dns.NS{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeNS, Class: dns.ClassINET, Ttl: 3600000}, Ns: h.Name.String()}}
			head := dns.RR_Header{Name: h.Name.String(), Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 3600000}
			if h.Addr.Is4() {
				r.Extra = append(r.Extra, &dns.A{Hdr: head, A: net.IP(h.Addr.AsSlice())})
			} else {
				head.Rrtype = dns.TypeAAAA
				r.Extra = append(r.Extra, &dns.AAAA{Hdr: head, AAAA: net.IP(h.Addr.AsSlice())})
			}
		}
		return r
	case up && (typ == dns.TypeA || typ == dns.TypeAAAA):
		known := false
		for _, e := range all {
			for _, rr := range e.msg.Extra {
				if h := rr.Header(); strings.EqualFold(h.Name, name) && (h.Rrtype == dns.TypeA || h.Rrtype == dns.TypeAAAA) {
					known = true
					if h.Rrtype == typ {
						r.Answer = append(r.Answer, dns.Copy(rr))
					}
				}
			}
		}
		r.Answer = dns.Dedup(r.Answer, nil)
		if !known {
			return nil
		}
		if r.Answer == nil {
			_, zone, _ := strings.Cut(name, ".")
			soa, _ := dns.NewRR(dns.Fqdn(zone) + " 3600 IN SOA . . 1 3600 3600 3600 3600")
			r.Ns = []dns.RR{soa}
		}
		return r
	}
	return nil
}

func brief(m *dns.Msg) string {
	out := dns.RcodeToString[m.Rcode]
	if m.Authoritative {
		out += " aa"
	}
	for i, sec := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		if l := lines(slices.DeleteFunc(slices.Clone(sec), func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeOPT })); l != "" {
			out += " " + []string{"AN", "NS", "AR"}[i] + "[" + l + "]"
		}
	}
	return out
}

// Scenarios of our own, and those of other projects below the folder or file that RPL names.
func TestScenarios(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.rpl")
	if path := os.Getenv("RPL"); path != "" {
		filepath.Walk(path, func(p string, _ os.FileInfo, _ error) error {
			if strings.HasSuffix(p, ".rpl") {
				files = append(files, p)
			}
			return nil
		})
	}
	for _, f := range files {
		t.Run(filepath.Base(filepath.Dir(f))+"/"+filepath.Base(f), func(t *testing.T) {
			s, err := loadScenario(f)
			if err != nil {
				t.Fatal(err)
			}
			if s.trouble != "" {
				t.Skip(s.trouble)
			}
			if why := s.play(t); why != "" {
				t.Error(why)
			}
		})
	}
}
