package resolver

import (
	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/resolver/known"
	"heimdall/core/resolver/servers"
	"heimdall/core/wire"
)

// stage is what a task does.
type stage uint8

const (
	stageAsk    stage = iota // it asks servers
	stageTrust               // it has a response, and waits for links of the chain of trust
	stageVerify              // it has a response and all keys, and waits for the verdict
)

// Bounds of validation for one task.
const (
	maxDistrust = 4   // responses that are bogus, each from another server; Unbound's VAL_MAX_RESTART_COUNT is 5
	maxSteps    = 256 // of one walk: two for each label a name may have
)

// edeBusy is the extended error when validation has no room: none of RFC 8914 fits.
const edeBusy = wire.EDEOther

// validation is the response of a task that is being validated.
type validation struct {
	finding     // its records are those of claim
	size    int // counted in Machine.held
	claim   *claim

	parts   []dnssec.Part
	zones   []*dnssec.Zone // as far as they have been reached
	walk    dnssec.Walk
	walking bool
	asked   dname.Name // the link that was asked for last
	askedT  wire.Type

	job   *Job
	given dnssec.Budget // to job
}

// newValidation copies what it needs of f.
func newValidation(f *finding, size int, c *claim) *validation {
	v := &validation{finding: *f, size: size, claim: c}
	v.records, v.child, v.name, v.buf = nil, nil, c.Name, new([dname.MaxLen]byte)
	v.setTarget(f.target)
	return v
}

// believed makes f what validation has left of a response: all of it, or only what is secure.
func (v *validation) believed(f *finding, code wire.Rcode, status dnssec.Status) {
	records, buf := v.claim.appendTo(f.records[:0], status == dnssec.Secure), f.buf
	*f = v.finding
	f.records, f.rcode, f.buf = records, code, buf
	f.setTarget(v.target)
}

// conclude goes on with a response: it is believed, or validated first.
func (m *Machine) conclude(i int32, f *finding) {
	t := m.tasks.at(i)
	link := t.isLink(&m.trust)
	if !link && !t.validated(&m.trust) {
		if f.source >= 0 {
			m.known.remember(t, f, dnssec.Unchecked, m.now)
		}
		m.proceed(i, f)
		return
	}
	m.dropAll(t)
	if f.out == outLoop {
		m.tooLong(i)
		return
	}
	// Most names are not signed: what is known to need no validation is not even copied.
	status, known := m.trust.Unsigned(f.name, t.typ, m.now)
	known = known && !f.chain
	if !link && !known && m.realms.belowOurs(f.name, t.typ) {
		status, known = dnssec.Insecure, true
	}
	if known && !link {
		m.stats.Verdicts[status]++
		if m.tracer.on() {
			m.tracer.verdict(m.now, t, "known of the name", dnssec.Result{Status: status})
		}
		m.believe(i, f, status)
		return
	}
	if f.out == outNegative && !link {
		m.join(t, f)
	}
	size := claimSize(f.records)
	c, ok := newClaim(f.records, f.name, t.typ, t.class, f.rcode, f.out != outAlias)
	if !ok {
		m.distrust(i, f, dnssec.ReasonNotValidatable, 0, false)
		return
	}
	if !m.hold(i, size, link) {
		m.fail(i, edeBusy, tooMuchHeld)
		return
	}
	v := newValidation(f, size, c)
	m.validations[i] = v
	if link {
		m.verifyLink(i, v)
		return
	}
	v.parts = dnssec.Plan(&c.Response)
	t.stage = stageTrust
	m.climb(i)
}

// join adds to a finding the NSEC and NSEC3 records that came with the aliases which have led to a negative
// answer: the response that has the alias may prove what its target's lacks.
func (m *Machine) join(t *task, f *finding) {
	for rest := m.chains.get(t.chain); len(rest) > 0; {
		rec, next, _ := rest.Next()
		if rec.Section == wire.Authority && !rec.Ours && !f.records.Has(&rec) {
			f.records = f.records.Add(rec.Section, rec.Owner, rec.Type, rec.Class, rec.TTL, rec.RData)
		}
		rest = next
	}
}

// proceed goes on with a finding that is believed.
func (m *Machine) proceed(i int32, f *finding) {
	switch f.out {
	case outLoop:
		m.tooLong(i)
	case outAlias:
		m.follow(i, f)
	default:
		m.finish(i, f)
	}
}

// believe stores a response that validation has no objection to, and goes on with it.
func (m *Machine) believe(i int32, f *finding, status dnssec.Status) {
	t := m.tasks.at(i)
	t.stage = stageAsk
	t.security = min(t.security, status)
	m.known.remember(t, f, status, m.now)
	m.proceed(i, f)
}

// climb walks the chain of trust for each part of a response, as far as it is known, and then asks for the
// verdict.
func (m *Machine) climb(i int32) {
	v := m.validations[i]
	for len(v.zones) < len(v.parts) {
		z := m.reach(i, v)
		if z == nil {
			m.arm(i)
			return
		}
		v.zones = append(v.zones, z)
		v.walking, v.asked = false, nil
	}
	crypto := false
	for _, z := range v.zones {
		crypto = crypto || z.Status == dnssec.Secure
	}
	j := &Job{kind: jobAnswer, claim: v.claim, parts: v.parts, zones: v.zones}
	if crypto {
		m.submit(i, j)
		return
	}
	j.policy = m.trust.Policy()
	j.Run(0, nil, nil)
	m.takeVerdict(i, j)
}

// reach returns the zone that the next part of a response belongs to, nil if a link is missing that has been
// asked for.
func (m *Machine) reach(i int32, v *validation) *dnssec.Zone {
	if !v.walking {
		a, target, unsigned := m.trust.Anchors().Start(&v.parts[len(v.zones)])
		if unsigned != nil {
			return unsigned
		}
		known := m.trust.Deepest(target, a.Zone, m.now)
		if known == nil {
			if m.needLink(i, v, a.Zone, wire.TypeDNSKEY) {
				return nil
			}
			known = &dnssec.Zone{Name: a.Zone, Result: dnssec.Result{Status: dnssec.Bogus, Reason: dnssec.ReasonKeysUnknown}}
		}
		v.walk, v.walking = dnssec.NewWalk(known, target), true
	}
	for range maxSteps {
		name, typ, more := v.walk.Need()
		if !more {
			break
		}
		if typ == wire.TypeDS {
			d, ok := m.trust.Cut(name, m.now)
			if !ok {
				if m.needLink(i, v, name, typ) {
					return nil
				}
				d = dnssec.Delegation{Name: name, Result: dnssec.Result{Status: dnssec.Bogus, Reason: dnssec.ReasonNoAnswer}}
			}
			v.walk.Delegate(d)
			continue
		}
		z := m.trust.Zone(name, m.now)
		if z == nil {
			if m.needLink(i, v, name, typ) {
				return nil
			}
			z = &dnssec.Zone{Name: name, Result: dnssec.Result{Status: dnssec.Bogus, Reason: dnssec.ReasonKeysUnknown}}
		}
		v.walk.Enter(z)
	}
	return v.walk.Zone()
}

// letGo ends the validation of a task. What its job holds counts until that is back; it is not run any more.
func (m *Machine) letGo(i int32) {
	if m.validations == nil || m.validations[i] == nil {
		return
	}
	if v := m.validations[i]; v.job == nil {
		m.held.bytes -= v.size
	} else {
		v.job.orphaned = v.size
		v.job.ended.Store(true)
	}
	m.validations[i] = nil
}

// takeVerdict goes on with the task of a job that has been run.
func (m *Machine) takeVerdict(i int32, j *Job) {
	v := m.validations[i]
	t := m.tasks.at(i)
	t.stage = stageAsk
	m.letGo(i)
	if j.kind != jobAnswer {
		m.takeLinkVerdict(i, v, j)
		return
	}
	result := j.verdict.Result
	m.stats.Verdicts[result.Status]++
	if m.tracer.on() {
		m.tracer.verdict(m.now, t, "the response", result)
	}
	faulty := t.fault(v)
	if faulty > 0 && v.zones[0].Status == dnssec.Secure {
		m.forwarders.note(t, v.source, t.current().Suffix(int(faulty-1)), result)
	}
	if result.Status == dnssec.Bogus {
		m.bogus.add(result.Reason)
		if m.options.Misdated != nil && (result.Reason == dnssec.ReasonNotYetValid || result.Reason == dnssec.ReasonExpired) {
			m.options.Misdated()
		}
		broken := false
		for n, z := range v.zones { // For an unsigned response the walk may have gone further than a signed one needs.
			broken = broken || z.Status == dnssec.Bogus && v.parts[n].Signer != nil
		}
		m.distrust(i, &v.finding, result.Reason, faulty, broken)
		return
	}
	m.trust.KeepDenials(&v.claim.Response, func(zone dname.Name) bool { return m.realms.speaksFor(t, zone) }, m.now)
	m.known.keepWildcards(t, v.claim, v.rank, m.now)
	f := m.findings.take()
	defer m.findings.give()
	v.believed(f, j.verdict.Rcode, result.Status)
	m.believe(i, f, result.Status)
}

// distrust goes on with a task whose response is bogus: another server may have a better one, unless it is the
// chain of trust that is broken. faulty is as in task.
func (m *Machine) distrust(i int32, f *finding, why dnssec.Reason, faulty uint8, broken bool) {
	t := m.tasks.at(i)
	source := f.source
	t.stage = stageAsk
	t.bogus, t.faulty = why, faulty
	if source >= 0 {
		t.distrusted++
		t.tried.Of(source).Excluded = true
		t.lastFail, t.lastRcode, t.hasFail = servers.FailBogus, wire.RcodeServFail, true
		m.servers.At(source).Failed(servers.FailBogus)
	}
	if broken || t.distrusted >= maxDistrust {
		m.fail(i, 0, "") // It knows why.
		return
	}
	switch source {
	case fromKnown:
		for _, typ := range [...]wire.Type{t.typ, wire.TypeCNAME, 0} {
			m.known.Forget(known.RRset, f.name, typ, t.class)
		}
	case fromReferral:
		m.known.Forget(known.Referral, t.current(), wire.TypeDS, t.class)
	}
	if t.delegated {
		m.delegations.look(t, m.delegations.at(i), m.now) // Sub-tasks may have ended in the meantime.
	}
	m.advance(i)
}
