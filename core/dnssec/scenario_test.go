package dnssec

import (
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

// scenarioDir names the environment variable with a folder of replay scenarios (.rpl) in Unbound's or Deckard's
// dialect, which is searched through. Only what validation needs of them is read: the trust anchors,
// the time, the scripted responses, and of the expected answers the response code and the AD flag.
const scenarioDir = "HEIMDALL_SCENARIOS"

// unsuited are scenarios whose outcome hangs on more than validation.
var unsuited = map[string]string{
	"black_ent":              "a server that lies must be left for another",
	"val_anchor_nx_nosig":    "the answer hangs on the order of servers",
	"val_nsec3_optout_ns_ad": "the answer hangs on the order of servers",
	"val_cname_loop1":        "a resolver may answer a loop or fail",
	"val_cname_loop1_3":      "a resolver may answer a loop or fail",
}

type scenario struct {
	anchors  Anchors
	now      int64
	scripted []*scripted
	steps    []step
}

// scripted is a response that some server gives.
type scripted struct {
	from, to int // steps
	msg      *dns.Msg
	match    string
	server   int // number of the block that it stands in
}

// step asks a question and expects an answer.
type step struct {
	at      int
	q       dns.Question
	want    *dns.Msg
	matches string
}

func TestExternalScenarios(t *testing.T) {
	dir := os.Getenv(scenarioDir)
	if dir == "" {
		t.Skip("set " + scenarioDir + " to a folder of .rpl files")
	}
	run := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".rpl" {
			return err
		}
		s, err := readScenario(path)
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(filepath.Base(path), ".rpl")
		if _, ok := unsuited[name]; !ok && len(s.anchors.byZone) > 0 {
			run++
			t.Run(name, s.test)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if run == 0 {
		t.Fatalf("no scenario with a trust anchor below %s", dir)
	}
}

func readScenario(path string) (*scenario, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &scenario{now: time.Now().Unix()}
	head, body, _ := strings.Cut(string(text), "CONFIG_END")
	for _, line := range strings.Split(head, "\n") {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		value = strings.TrimSpace(value)
		if len(value) > 0 && (value[0] == '"' || value[0] == '\'') {
			value, _, _ = strings.Cut(value[1:], value[:1])
		}
		switch key {
		case "trust-anchor":
			anchors, err := ParseAnchors(path, value+"\n")
			if err != nil {
				return nil, err
			}
			for _, a := range anchors {
				if old := s.anchors.byZone[string(a.Zone)]; old != nil {
					a.DS = append(a.DS, old.DS...)
				}
				s.anchors.Set(a)
			}
		case "val-override-date":
			if when, err := time.Parse("20060102150405", value); err == nil {
				s.now = when.Unix()
			}
		case "val-override-timestamp":
			s.now, _ = strconv.ParseInt(value, 10, 64)
		case "domain-insecure":
			if a, err := parseZone(value); err == nil {
				s.anchors.Set(Anchor{Zone: a, Negative: true})
			}
		}
	}
	s.readBody(strings.Split(body, "\n"))
	return s, nil
}

func parseZone(s string) ([]byte, error) {
	m := make([]byte, 256)
	n, err := dns.PackDomainName(dns.Fqdn(s), m, 0, nil, false)
	return m[:max(n, 0)], err
}

func (s *scenario) readBody(lines []string) {
	block := &scripted{from: 0, to: 1 << 30}
	var q dns.Question
	at, kind := 0, ""
	for i := 0; i < len(lines); i++ {
		f := strings.Fields(lines[i])
		if len(f) == 0 {
			continue
		}
		switch f[0] {
		case "RANGE_BEGIN":
			block = &scripted{server: block.server + 1}
			block.from, _ = strconv.Atoi(f[1])
			block.to, _ = strconv.Atoi(f[2])
			kind = "RANGE"
		case "STEP":
			at, _ = strconv.Atoi(f[1])
			kind = f[2]
		case "ENTRY_BEGIN":
			end := i + slices.IndexFunc(lines[i:], func(l string) bool { return strings.HasPrefix(l, "ENTRY_END") })
			msg, match := readEntry(lines[i+1 : max(i+1, end)])
			switch {
			case len(msg.Question) == 0:
			case kind == "RANGE" || kind == "REPLY":
				e := *block
				if kind == "REPLY" {
					e.from, e.to = at, 1<<30
				}
				e.msg, e.match = msg, match
				s.scripted = append(s.scripted, &e)
			case kind == "QUERY":
				q = msg.Question[0]
				if msg.CheckingDisabled || !strings.Contains(match, "DO") {
					q.Name = "" // tells nothing about validation
				}
			case kind == "CHECK_ANSWER" && q.Name != "":
				s.steps = append(s.steps, step{at, q, msg, match})
			}
			i = max(i, end)
		}
	}
}

// readEntry reads a message in the form between ENTRY_BEGIN and ENTRY_END.
func readEntry(lines []string) (m *dns.Msg, match string) {
	m, section := new(dns.Msg), ""
	for _, line := range lines {
		line, _, _ = strings.Cut(line, ";")
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		switch f[0] {
		case "MATCH":
			match += " " + strings.Join(f[1:], " ")
			continue
		case "ADJUST":
			if slices.Contains(f, "copy_query") {
				match += " copy_query"
			}
			continue
		case "REPLY":
			for _, w := range f[1:] {
				m.AuthenticatedData = m.AuthenticatedData || w == "AD"
				m.CheckingDisabled = m.CheckingDisabled || w == "CD"
				if w == "DO" {
					match += " DO"
				}
				if rc, ok := dns.StringToRcode[w]; ok {
					m.Rcode = rc
				}
			}
			continue
		case "SECTION":
			section = f[1]
			continue
		}
		if section == "QUESTION" {
			m.SetQuestion(dns.Fqdn(f[0]), dns.StringToType[f[len(f)-1]])
			continue
		}
		z := dns.NewZoneParser(strings.NewReader(line+"\n"), ".", "")
		z.SetDefaultTTL(3600)
		rr, ok := z.Next()
		if !ok {
			continue
		}
		switch r := rr.(type) { // the wire form needs these in order
		case *dns.NSEC:
			slices.Sort(r.TypeBitMap)
		case *dns.NSEC3:
			slices.Sort(r.TypeBitMap)
		}
		switch section {
		case "ANSWER":
			m.Answer = append(m.Answer, rr)
		case "AUTHORITY":
			m.Ns = append(m.Ns, rr)
		}
	}
	return m, match
}

// ask finds the response that an iterative resolver would end up with, nil if there is none. DS records come
// from the server that comes first in the script, or from a referral; other answers from the one that comes last.
func (s *scenario) ask(t *testing.T, at int, qname string, qtype uint16) *Response {
	best, points := (*scripted)(nil), 0
	for _, e := range s.scripted {
		q := e.msg.Question[0]
		if at < e.from || at > e.to || e.msg.Rcode != dns.RcodeSuccess && e.msg.Rcode != dns.RcodeNameError {
			continue
		}
		p := 0
		switch {
		case strings.EqualFold(q.Name, qname) && q.Qtype == qtype && isReferral(e.msg):
			p = 1 // better than nothing
		case strings.EqualFold(q.Name, qname) && q.Qtype == qtype:
			p = 10000 + e.server
			if qtype == dns.TypeDS {
				p = 20000 - e.server
			}
		case qtype == dns.TypeDS && isReferral(e.msg) && slices.ContainsFunc(e.msg.Ns, func(rr dns.RR) bool {
			return rr.Header().Rrtype == dns.TypeNS && strings.EqualFold(rr.Header().Name, qname)
		}):
			p = 100 + len(e.msg.Ns)
		}
		if p > points {
			best, points = e, p
		}
	}
	if best == nil {
		return nil
	}
	m := best.msg.Copy()
	m.Question[0] = dns.Question{Name: qname, Qtype: qtype, Qclass: dns.ClassINET}
	msg, err := m.Pack()
	if err != nil {
		return nil
	}
	r, ok := ReadResponse(msg)
	if !ok {
		t.Logf("%s %s: response refused", qname, dns.TypeToString[qtype])
		return nil
	}
	return r
}

func isReferral(m *dns.Msg) bool {
	ns := func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeNS }
	soa := func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeSOA }
	return len(m.Answer) == 0 && slices.ContainsFunc(m.Ns, ns) && !slices.ContainsFunc(m.Ns, soa)
}

// zone walks the chain of trust from the anchor to the target.
func (s *scenario) zone(t *testing.T, v *Validator, at int, p *Part) *Zone {
	a, target, unsigned := s.anchors.Start(p)
	if unsigned != nil {
		return unsigned
	}
	keys := func(zone []byte, ds []DS) *Zone {
		var set *RRset
		if r := s.ask(t, at, nameText(zone), dns.TypeDNSKEY); r != nil {
			set = r.find(zone, 48)
		}
		return v.ValidateKeys(zone, set, ds, 3600)
	}
	walk := NewWalk(keys(a.Zone, a.DS), target)
	for {
		name, qtype, more := walk.Need()
		if !more {
			break
		}
		if qtype == 48 {
			ds, _ := walk.DS()
			walk.Enter(keys(name, ds))
			continue
		}
		r := s.ask(t, at, name.String(), dns.TypeDS)
		if r == nil {
			r = &Response{Name: name, Type: 43, Class: 1, Rcode: dns.RcodeServerFailure}
		}
		walk.Delegate(v.ValidateDelegation(r, name, walk.Zone()))
	}
	return walk.Zone()
}

func nameText(n []byte) string {
	s, _, _ := dns.UnpackDomainName(n, 0)
	return s
}

// test compares the verdicts with the answers that the scenario expects.
func (s *scenario) test(t *testing.T) {
	for _, st := range s.steps {
		r := s.resolve(t, st)
		if r == nil {
			t.Skipf("step %d: no scripted response for %s", st.at, st.q.Name)
		}
		p, b := DefaultPolicy(), DefaultBudget()
		v := &Validator{Policy: &p, Now: s.now, Budget: &b}
		parts := Plan(r)
		zones := make([]*Zone, len(parts))
		for i := range parts {
			zones[i] = s.zone(t, v, st.at, &parts[i])
			t.Logf("step %d: %v %v of %v: zone %v %v", st.at, parts[i].Kind, parts[i].Name, parts[i].Signer, zones[i].Name, zones[i].Result)
		}
		verdict := v.Validate(r, parts, zones)
		got, want := "no AD", "no AD"
		if verdict.Status == Bogus || verdict.Status == Secure {
			got = verdict.Status.String()
		}
		root := s.anchors.byZone["\x00"]
		if got == "secure" && root != nil && (r.Type == wire.TypeA || r.Type == wire.TypeAAAA) && root.SentinelFails(r.Name) {
			got = "bogus"
		}
		switch {
		case st.want.Rcode == dns.RcodeServerFailure:
			want = "bogus"
		case st.want.AuthenticatedData:
			want = "secure"
		}
		if got != want || want != "bogus" && int(verdict.Rcode) != st.want.Rcode {
			t.Errorf("step %d: %s %s is %v, rcode %d; the scenario expects %s, rcode %d",
				st.at, st.q.Name, dns.TypeToString[st.q.Qtype], verdict.Result, verdict.Rcode, want, st.want.Rcode)
		}
	}
}

// resolve puts the responses for a question and for what its aliases lead to into one.
func (s *scenario) resolve(t *testing.T, st step) *Response {
	var whole *Response
	for name := st.q.Name; ; {
		r := s.ask(t, st.at, name, st.q.Qtype)
		switch {
		case r == nil:
			return whole
		case whole == nil:
			whole = r
		default:
			whole.Rcode = r.Rcode
			whole.Sets = append(whole.Sets, r.Sets...)
		}
		parts := Plan(whole)
		last := &parts[len(parts)-1]
		if last.Kind != Alias || len(parts) == maxParts {
			return whole
		}
		next, ok := whole.aliasTarget(last)
		if !ok || strings.EqualFold(next.String(), name) {
			whole.Complete = true // it has been asked for, and there was nothing
			return whole
		}
		name = next.String()
	}
}
