package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
)

// validatedText is a zone with whatever needs a proof of its own: empty non-terminals, wildcards at several depths
// and beside names, CNAME and DNAME chains, a signed and an unsigned delegation. Its child zones are served too.
const validatedText = `$TTL 300
@           SOA   ns host 1 3600 600 86400 60
@           NS    ns
@           MX    10 mail
ns          A     192.0.2.53
mail        A     192.0.2.25
www         A     192.0.2.1
www         TXT   "www"
a.b.c       TXT   "below empty non-terminals"
*.w         A     192.0.2.9
*.w         TXT   "star"
exact.w     TXT   "beside a wildcard"
deep.down.w A     192.0.2.10
sub.*.w     TXT   "below a wildcard"
*.*.v       A     192.0.2.11
*.cw        CNAME www
*.ent.z     MX    1 mail
alias       CNAME www
chain       CNAME alias
starred     CNAME x.w
dangling    CNAME nowhere
tosafe      CNAME www.safe
d           DNAME w
dchain      DNAME d
safe        NS    ns.safe
ns.safe     A     192.0.2.60
open        NS    ns.open
ns.open     A     192.0.2.61
`

// childText is the zone at each of its delegations.
const childText = "$TTL 300\n@ SOA ns host 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.60\nwww A 192.0.2.2\n*.w A 192.0.2.3\n"

// tools runs the programs of a Debian package that the test needs.
func tools(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// ldnsSigned signs a zone by means of ldns and returns its [[zone]] table, and the DS record of its key.
func ldnsSigned(t *testing.T, origin, text string, how ...string) (table, ds string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "zone"), []byte("$ORIGIN "+origin+"\n"+text), 0o644); err != nil {
		t.Fatal(err)
	}
	key := tools(t, dir, "ldns-keygen", "-k", "-a", "ECDSAP256SHA256", origin)
	tools(t, dir, append(append([]string{"ldns-signzone"}, how...), "-o", origin, "-f", "signed", "zone", key)...)
	record, err := os.ReadFile(filepath.Join(dir, key+".ds"))
	if err != nil {
		t.Fatal(err)
	}
	return zoneTable(origin, filepath.Join(dir, "signed")), string(record)
}

// validator is a configuration of unbound-host, which looks names up as a validating resolver does.
type validator struct{ file string }

// newValidator makes one that asks a server for the zones of some DS records, and trusts these.
func newValidator(t *testing.T, addr string, anchors []string) *validator {
	t.Helper()
	// No test may ask the real root servers. Nobody listens at this one, nor where the zones say that servers are.
	text := "server:\n  do-not-query-localhost: no\n  do-not-query-address: 192.0.2.0/24\n  do-ip6: no\n" +
		fmt.Sprintf("  root-hints: %q\n", writeFile(t, "root.hints", ". 3600 NS nobody.test.\nnobody.test. 3600 A 127.0.0.254\n"))
	for _, ds := range anchors {
		text += fmt.Sprintf("  trust-anchor: \"%s\"\n", strings.Join(strings.Fields(ds), " "))
	}
	for _, ds := range anchors {
		text += fmt.Sprintf("stub-zone:\n  name: %q\n  stub-addr: %s\n", strings.Fields(ds)[0], strings.Replace(addr, ":", "@", 1))
	}
	return &validator{writeFile(t, "unbound.conf", text)}
}

// lookUp returns what unbound-host says of a name and type: each line ends with (secure), (insecure) or (BOGUS).
func (v *validator) lookUp(name string, qtype uint16) string {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "unbound-host", "-C", v.file, "-v", "-t", dns.Type(qtype).String(), name).CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// validatedQuestions are the names of validatedText with several types, and names beside and below them, in a zone.
func validatedQuestions(origin string) (list []dns.Question) {
	seen := map[dns.Question]bool{}
	add := func(name string, types ...uint16) {
		for _, qtype := range types {
			if q := (dns.Question{Name: name + origin, Qtype: qtype, Qclass: dns.ClassINET}); !seen[q] {
				seen[q] = true
				list = append(list, q)
			}
		}
	}
	for line := range strings.Lines(validatedText) {
		owner, _, _ := strings.Cut(line, " ")
		switch {
		case strings.HasPrefix(owner, "$"):
			continue
		case owner == "@":
			add("", dns.TypeA, dns.TypeMX, dns.TypeNS, dns.TypeSOA, dns.TypeDNSKEY, dns.TypeNSEC)
			add("r1.", dns.TypeA)
			continue
		}
		add(owner+".", dns.TypeA, dns.TypeCNAME)
		if owner != "tosafe" && !strings.HasPrefix(owner, "ns.") {
			add(owner+".", dns.TypeDS) // those of names in a child zone a resolver asks of other servers
		}
		add("www."+owner+".", dns.TypeA)
		add("r2.w."+owner+".", dns.TypeA)
		add(owner[:1]+"0"+owner[1:]+".", dns.TypeA) // a neighbour
		for _, up, below := strings.Cut(owner, "."); below; _, up, below = strings.Cut(up, ".") {
			add(up+".", dns.TypeA) // an empty non-terminal
			add("r3."+up+".", dns.TypeA)
		}
	}
	return list
}

// What a validating resolver makes of zones that another program has signed: nothing is bogus, whatever is asked,
// and everything is secure but what is below an unsigned delegation, or, with opt-out, where one may be. Rcode and
// records are those that the daemon gives.
func TestSignedZonesValidate(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"unbound-host", "ldns-signzone"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%v (make setup installs it)", err)
		}
	}
	zones, anchors := authoritativeOnly, []string(nil)
	var questions []dns.Question
	for origin, how := range map[string][]string{"nsec.lab.": nil, "nsec3.lab.": {"-n", "-t", "1", "-s", "abcd"}, "optout.lab.": {"-n", "-p"}} {
		safe, ds := ldnsSigned(t, "safe."+origin, childText, how...)
		parent, anchor := ldnsSigned(t, origin, validatedText+ds, how...)
		zones += parent + safe + zoneFile(t, "open."+origin, childText)
		anchors = append(anchors, anchor)
		questions = append(questions, validatedQuestions(origin)...)
	}
	// A zone that is signed with another key than the resolver knows of: it does look.
	forged, _ := ldnsSigned(t, "forged.lab.", childText)
	_, other := ldnsSigned(t, "forged.lab.", childText)
	d := start(t, zones+forged)
	v := newValidator(t, d.addr, append(anchors, other))
	if said := v.lookUp("www.forged.lab.", dns.TypeA); !strings.Contains(said, "(BOGUS") {
		t.Errorf("a zone with a wrong key is not bogus: %s", said)
	}
	work, secure := make(chan dns.Question), atomic.Int64{}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for q := range work {
				said := v.lookUp(q.Name, q.Qtype)
				r, err := exchange(d.addr, question(q.Name, q.Qtype), "tcp")
				if err != nil {
					t.Error(err)
					continue
				}
				if problem := judge(q, r, said); problem != "" {
					t.Errorf("%s: %s: the resolver says %q, the daemon\n%v", q.String(), problem, said, r)
				}
				if strings.HasSuffix(said, "(secure)") {
					secure.Add(1)
				}
			}
		})
	}
	for _, q := range questions {
		work <- q
	}
	close(work)
	all.Wait()
	if n := int(secure.Load()); n < len(questions)*3/4 || n == len(questions) {
		t.Errorf("of %d answers %d are secure", len(questions), n)
	}
}

// judge compares what a validating resolver says with the daemon's response to the same question.
func judge(q dns.Question, r *dns.Msg, said string) string {
	has := slices.ContainsFunc(r.Answer, func(rr dns.RR) bool { return rr.Header().Rrtype == q.Qtype })
	unsigned := strings.Contains("."+q.Name, ".open.") && !(q.Qtype == dns.TypeDS && strings.HasPrefix(q.Name, "open."))
	// RFC 5155, section 6: in an opt-out zone what is secure is what is there under that very name.
	excused := strings.HasSuffix(q.Name, "optout.lab.") && (!has || r.Answer[0].Header().Rrtype == dns.TypeCNAME ||
		!strings.Contains(validatedText, "\n"+strings.TrimSuffix(q.Name, ".optout.lab.")+" "))
	switch {
	case strings.Contains(said, "BOGUS") || strings.Contains(said, "error") || strings.Contains(said, "exit status"):
		return "not valid"
	case (r.Rcode == dns.RcodeNameError) != strings.Contains(said, "(NXDOMAIN)"):
		return "another rcode"
	case has == (strings.Contains(said, " has no ") || strings.Contains(said, "(NXDOMAIN)")):
		return "other records"
	case unsigned != strings.HasSuffix(said, "(insecure)") && !excused:
		return "another verdict"
	}
	return ""
}
