package admin

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"heimdall/core"
	"heimdall/core/cache"
	"heimdall/core/control"
	"heimdall/core/dnssec"
	"heimdall/core/policy"
	"heimdall/core/resolver"
	"heimdall/core/wire"
	"heimdall/shard"
	"heimdall/shard/hot"
	"heimdall/shard/worker"
)

// Explain implements control.Server. All shards are asked. The one counts that owns the name; where none does, or over TCP,
// the one that knows most.
func (s *Server) Explain(ctx context.Context, args control.ExplainArgs) (*control.Explanation, error) {
	name, typ, err := parseQuestion(args.Name, args.Type)
	if err != nil {
		return nil, err
	}
	client, err := netip.ParseAddr(args.Client)
	if err != nil { // it was checked: there is none
		client = netip.MustParseAddr("127.0.0.1")
	}
	q := core.Case{
		Question: resolver.Question{Name: name, Type: typ, Class: wire.ClassIN, DO: args.DO, CD: args.CD}, Client: client.WithZone(""), Stream: args.TCP,
	}
	list := s.o.Workers()
	all := make([]*verdict, len(list))
	err = onAll(ctx, list, func(i int, w *worker.Worker, sh *shard.Shard) {
		e := sh.Engine()
		v := &verdict{Explanation: e.Explain(w.Now(), &q), shard: w.ID(), recursion: e.Recursion, allowed: e.ACL.Match(q.Client)}
		v.denied, v.exempt = e.Limiter.Why(q.Client)
		all[i] = v
	})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(v *verdict) bool { return v == nil })
	if len(all) == 0 {
		return nil, control.Errorf(control.CodeUnavailable, "no shard takes commands")
	}
	owner := -1
	if !q.Stream {
		owner = s.o.Owner(name)
	}
	slices.SortStableFunc(all, func(a, b *verdict) int { return cmp.Compare(b.weight(owner), a.weight(owner)) })
	x := explainer{
		s: s, q: &q, v: all[0], kernel: s.o.Hot.Look(name, typ, q.DO, q.CD),
		out: &control.Explanation{
			Name: name.String(), Type: typ.String(), Client: q.Client.String(), Transport: "UDP", Shard: all[0].shard, Answer: []string{},
		},
	}
	if q.Stream {
		x.out.Transport = "TCP"
	}
	for _, v := range all {
		if v.Cached != nil && v.Cached.State == cache.Fresh {
			x.fresh = append(x.fresh, v.shard)
		}
	}
	slices.Sort(x.fresh)
	x.explain()
	return x.out, nil
}

// verdict is what one shard says.
type verdict struct {
	*core.Explanation
	shard                   int
	recursion               bool
	allowed, denied, exempt netip.Prefix // that decide about the client; not valid: none does
}

// weight is how much a shard's word counts.
func (v *verdict) weight(owner int) int {
	switch {
	case v.shard == owner:
		return 3
	case v.Cached != nil && v.Cached.State == cache.Fresh:
		return 2
	case v.Cached != nil:
		return 1
	}
	return 0
}

// explainer puts the verdict of a shard into words.
type explainer struct {
	s      *Server
	q      *core.Case
	v      *verdict
	kernel hot.Look
	fresh  []int // shards with a fresh entry
	out    *control.Explanation
}

// step adds a decision, with the place of the key that it follows from, if there is one.
func (x *explainer) step(step, verdict, why, key string, p netip.Prefix) {
	place := ""
	if key != "" {
		place = x.s.o.Place(key, p)
	}
	x.out.Steps = append(x.out.Steps, control.ExplainStep{Step: step, Verdict: verdict, Why: why, Place: place})
}

// say is step for a decision that follows from no prefix.
func (x *explainer) say(step, verdict, why, key string) {
	x.step(step, verdict, why, key, netip.Prefix{})
}

func (x *explainer) todo(text string) { x.out.Todo = append(x.out.Todo, text) }

func (x *explainer) explain() {
	v := x.v
	x.outcome()
	x.client()
	x.tier0()
	switch {
	case v.Zone == nil:
		x.say("zone", "none", "no zone that is served here has the name", "")
	default:
		x.zone()
	}
	if v.From != core.FromZone || v.Away {
		x.recursion()
	}
	if v.From == core.FromLocal {
		x.local()
	}
	if v.From == core.FromCache || v.From == core.FromOthers || v.From == core.FromKnown {
		x.cache()
		x.known()
		x.servers()
	}
	if v.From == core.FromError && v.Failed != "" {
		x.say("answer", v.Rcode.String(), v.Failed, "")
	}
	x.validation()
	eachRecord(v.Response, func(section wire.Section, text string) {
		x.out.Answer = append(x.out.Answer, section.String()+"\t"+text)
	})
}

// outcome sums up.
func (x *explainer) outcome() {
	v := x.v
	if len(v.Response) > 0 {
		x.out.Rcode = v.Rcode.String()
	}
	switch {
	case v.Admission == policy.Denied || v.Admission == policy.Limited:
		x.out.Outcome, x.out.Rcode = control.OutcomeDropped, ""
	case v.Admission == policy.Slipped:
		x.out.Outcome = control.OutcomeTruncated
	case x.inKernel():
		x.out.Outcome = control.OutcomeKernel
	case v.From == core.FromZone:
		x.out.Outcome = control.OutcomeZone
	case v.From == core.FromLocal:
		x.out.Outcome = control.OutcomeLocal
	case v.From == core.FromCache && v.AtOnce:
		x.out.Outcome = control.OutcomeStale
	case v.From == core.FromCache:
		x.out.Outcome = control.OutcomeCache
	case v.From == core.FromKnown:
		x.out.Outcome, x.out.Rcode = control.OutcomeKnown, v.Plan.Foreseen.Rcode.String()
	case v.From == core.FromOthers:
		x.out.Outcome = control.OutcomeUpstream
	case v.From == core.FromError:
		x.out.Outcome = control.OutcomeError
	default:
		x.out.Outcome = control.OutcomeDropped
	}
}

// inKernel tells whether tier 0 answers.
func (x *explainer) inKernel() bool {
	return !x.q.Stream && x.kernel.Answers && (x.kernel.Open || x.v.May)
}

func (x *explainer) client() {
	l := x.s.o.Settings().Limit
	switch v := x.v; {
	case v.Admission == policy.Denied:
		x.step("client", "dropped", fmt.Sprintf("%v is in limit.deny", v.denied), "limit.deny", v.denied)
		x.todo(fmt.Sprintf("remove %v from limit.deny and reload, if this client is to be served", v.denied))
	case v.Admission != policy.Admitted:
		x.say("client", map[policy.Admission]string{policy.Limited: "dropped", policy.Slipped: "truncated"}[v.Admission],
			fmt.Sprintf("above %d queries a second of its prefix (limit.queries_per_second)", l.QueriesPerSecond), "limit.queries_per_second")
		x.todo("raise limit.queries_per_second, or add the client to limit.exempt, and reload")
	case l.QueriesPerSecond == 0:
		x.say("client", "admitted", "no rate is limited (limit.queries_per_second)", "")
	case x.q.Stream:
		x.say("client", "admitted", "the rate is limited over UDP only", "limit.queries_per_second")
	case v.exempt.IsValid():
		x.step("client", "admitted", fmt.Sprintf("%v is in limit.exempt", v.exempt), "limit.exempt", v.exempt)
	default:
		x.say("client", "admitted", fmt.Sprintf("within %d queries a second of its prefix, on this shard", l.QueriesPerSecond), "limit.queries_per_second")
	}
}

func (x *explainer) tier0() {
	switch k := x.kernel; {
	case !k.Running:
		x.say("kernel", "passed", "the XDP program does not run (xdp.mode)", "xdp.mode")
	case x.q.Stream:
		x.say("kernel", "passed", "it answers over UDP only", "")
	case x.inKernel():
		x.say("kernel", "answered", fmt.Sprintf("a hot answer, good for %d s more; a query with EDNS options or from an interface without the program is passed on", k.TTL), "")
	case k.Answers:
		x.say("kernel", "passed", "its hot answer is for clients that may use recursion", "")
	default:
		x.say("kernel", "passed", "it has no answer to this question", "")
	}
}

func (x *explainer) zone() {
	v := x.v
	x.out.Zone = &control.ExplainZone{Name: v.Zone.String(), Serial: v.Serial, Ready: !v.NotReady, Away: v.Away}
	switch what := fmt.Sprintf("the zone %s, serial %d, is served here", v.Zone, v.Serial); {
	case v.NotReady:
		x.say("zone", v.Zone.String(), "no version of the zone could be loaded", "")
		x.todo("see `heimdallctl zones` for what is wrong with it, mend that, and reload")
	case v.Away:
		x.say("zone", v.Zone.String(), what+"; its alias leads to a name elsewhere, which is looked for", "")
	default:
		x.say("zone", v.Zone.String(), what, "")
	}
}

func (x *explainer) recursion() {
	switch v := x.v; {
	case v.May:
		x.step("recursion", "allowed", fmt.Sprintf("%v is in recursion.allow", v.allowed), "recursion.allow", v.allowed)
	case !v.recursion:
		x.say("recursion", "refused", "there is no recursion (recursion.enabled)", "recursion.enabled")
		x.todo("serve a zone with the name, or set recursion.enabled = true and restart")
	case !v.allowed.IsValid():
		x.say("recursion", "refused", fmt.Sprintf("%v is not in recursion.allow", x.q.Client), "recursion.allow")
		x.todo("add the client's prefix to recursion.allow and reload, if it is to have names resolved")
	default:
		x.say("recursion", "refused", fmt.Sprintf("type %v cannot be resolved", x.q.Type), "")
	}
}

func (x *explainer) local() {
	if x.q.Type == wire.TypeANY && x.v.Rcode == wire.RcodeNoError {
		x.say("local", "answered", "queries for all types are answered with one record (server.minimal_any), or the name is special", "server.minimal_any")
		return
	}
	x.say("local", "answered", "a special-use name (local.special_names; RFC 6761, 6303)", "local.special_names")
}

func (x *explainer) cache() {
	c, v := x.v.Cached, x.v
	if c == nil {
		x.say("cache", "nothing", "no shard has an answer", "")
		return
	}
	e := control.ExplainCache{Shards: x.fresh}
	e.CacheEntry = cacheEntry(v.shard, &cache.Key{Name: x.q.Name, Type: x.q.Type, Class: wire.ClassIN, DO: x.q.DO, CD: x.q.CD}, c)
	e.Age = c.Age
	if v.Records.Found {
		e.Trust, e.Status = v.Records.Rank.String(), v.Records.Status.String()
	}
	x.out.Cache = &e
	var why []string
	switch {
	case c.State == cache.Fresh:
		why = append(why, fmt.Sprintf("stored %d s ago, good for %d s more, %d hits, on shards %s", e.Age, c.TTL, c.Hits, numbers(x.fresh)))
	case v.AtOnce:
		why = append(why, "expired, and given as its servers failed a moment ago (cache.stale)")
	default:
		why = append(why, map[bool]string{true: "expired", false: "expired: others are asked first (cache.stale)"}[v.From == core.FromKnown])
	}
	if e.Trust != "" {
		why = append(why, fmt.Sprintf("its records are from %s, %d s ago", e.Trust, v.Records.Age))
	}
	if e.EDE != "" {
		why = append(why, "with the extended error "+e.EDE)
	}
	x.say("cache", c.Rcode.String(), strings.Join(why, "; "), "")
}

// known tells what the resolver knows without asking, if the cache has no answer.
func (x *explainer) known() {
	v, p := x.v, &x.v.Plan.Foreseen
	if v.From == core.FromCache {
		return
	}
	why := ""
	switch p.On {
	case resolver.OnRecords:
		if why = fmt.Sprintf("the records of %s were learned for other queries", p.Name); p.Denied != nil {
			why = fmt.Sprintf("%s is known not to exist, and so nothing below it", p.Denied)
		} else if v.Records.Found && p.Aliases == 0 {
			why += fmt.Sprintf(", from %s, %d s ago", v.Records.Rank, v.Records.Age)
		}
	case resolver.OnDenials:
		why = fmt.Sprintf("kept denial records or a wildcard tell of %s (RFC 8198)", p.Name)
	case resolver.OnZones:
		why = fmt.Sprintf("%s is known here", p.Name)
	default:
		switch {
		case p.Aliases > 0:
			x.say("known", "an alias", fmt.Sprintf("aliases that are known lead to %s, which is asked for", p.Name), "")
		case v.Records.Found:
			x.say("known", "not enough", "its records are known, but were asked for without signatures, or for others only", "")
		}
		return
	}
	if p.Aliases > 0 {
		why = fmt.Sprintf("known aliases (%d) lead to %s; ", p.Aliases, p.Name) + why
	}
	x.say("known", p.Rcode.String(), why, "")
}

func (x *explainer) servers() {
	p := &x.v.Plan
	up := &control.ExplainUpstream{Kind: p.Kind, Zone: p.Zone.String(), Servers: []control.ExplainServer{}}
	x.out.Upstream = up
	down := 0
	var texts []string
	for _, srv := range p.Servers {
		state := control.UpstreamState(srv.State)
		if state == control.UpstreamDown {
			down++
		}
		up.Servers = append(up.Servers, control.ExplainServer{Address: srv.Addr.String(), State: state})
		texts = append(texts, fmt.Sprintf("%v (%s)", srv.Addr, state))
	}
	verdict := "asked"
	if x.v.From != core.FromOthers {
		verdict = "not asked"
	}
	if p.Kind == "iterate" {
		x.say("servers", verdict, "those of "+up.Zone+" and below, as far as they are known, from the root servers on", "")
		return
	}
	x.say("servers", verdict, fmt.Sprintf("the %s zone %s: %s", p.Kind, up.Zone, strings.Join(texts, ", ")), "")
	if down > 0 && down == len(p.Servers) {
		x.todo("no server of the " + p.Kind + " zone " + up.Zone + " answers: see `heimdallctl upstreams`")
	}
}

func (x *explainer) validation() {
	out, ok := x.trust()
	if !ok {
		return
	}
	if a := x.v.Plan.Anchor; a != nil {
		out.Anchor = a.String()
	}
	x.out.Validation = &out
	key := ""
	if out.Verdict == "off" {
		key = "recursion.validation"
	}
	x.say("validation", out.Verdict, out.Why, key)
	if out.Verdict == "bogus" {
		x.todo(fmt.Sprintf("`heimdallctl trace %s %s` shows which signature fails; `heimdallctl nta add NAME` helps while others' zone is broken", x.out.Name, x.out.Type))
	}
}

// trust is what is known of an answer's validation; false: there is no answer, or nothing is validated that is served here.
func (x *explainer) trust() (out control.ExplainValidation, ok bool) {
	v, p := x.v, &x.v.Plan
	is := func(verdict, format string, args ...any) (control.ExplainValidation, bool) {
		return control.ExplainValidation{Verdict: verdict, Why: fmt.Sprintf(format, args...)}, true
	}
	cached, foreseen := v.From == core.FromCache, v.From == core.FromKnown
	switch {
	case !cached && !foreseen && v.From != core.FromOthers:
		return out, false
	case !p.On:
		return is("off", "nothing is validated (recursion.validation)")
	case x.q.CD:
		return is("none", "the client does without (CD)")
	case p.Anchor == nil:
		return is(dnssec.Indeterminate.String(), "no trust anchor covers the name")
	case p.NTA:
		return is(dnssec.Insecure.String(), "the negative trust anchor %s covers the name", p.Anchor)
	case cached && v.Cached.AD:
		return is(dnssec.Secure.String(), "validated from the trust anchor %s", p.Anchor)
	case cached && bogusCode(v.Cached.EDE):
		return is(dnssec.Bogus.String(), "%s", cmp.Or(string(v.Cached.Text), v.Cached.EDE.String()))
	case foreseen && p.Foreseen.Status == dnssec.Secure:
		return is(dnssec.Secure.String(), "what is known was validated from the trust anchor %s", p.Anchor)
	case foreseen && p.Foreseen.Status == dnssec.Unchecked:
		return is("pending", "what is known will be validated from the trust anchor %s; keys may have to be asked for", p.Anchor)
	case foreseen:
		return is(p.Foreseen.Status.String(), "what is known, or one of its aliases, is not signed")
	case p.Status == dnssec.Insecure || cached && v.Records.Found && v.Records.Status == dnssec.Insecure:
		return is(dnssec.Insecure.String(), "it is below a delegation that is known not to be signed")
	case cached:
		return is("not secure", "the answer, or the end of its alias, is not signed")
	}
	why := fmt.Sprintf("it will be validated from the trust anchor %s", p.Anchor)
	if p.Keys != nil {
		why += fmt.Sprintf("; the keys of %s are known", p.Keys)
	}
	return is("pending", "%s", why)
}

// bogusCode tells whether an extended error says that validation has failed (RFC 8914, sections 4.7 to 4.13).
func bogusCode(code wire.EDE) bool { return wire.EDEBogus <= code && code <= wire.EDENSECMissing }

func numbers(list []int) string {
	var texts []string
	for _, n := range list {
		texts = append(texts, fmt.Sprint(n))
	}
	return strings.Join(texts, ", ")
}
