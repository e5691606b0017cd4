package resolver

import "heimdall/core/wire"

// authority tells what finding f, out of a response of a server of a zone, counts for when it is asked whether the server may
// give it. An answer without AA comes out of somebody's cache: it is put aside, and taken if no other server gives a better
// one. A denial without AA and without SOA, or a referral upwards or sideways, is of no use: the server is lame.
func (m *Machine) authority(e int32, f *finding, resp *response, r *route) outcome {
	x := m.exchanges.at(e)
	t := m.tasks.at(x.task)
	out := f.out
	if out != outAnswer && out != outAlias && out != outNegative {
		return out
	}
	if resp.flags&wire.FlagAA == 0 {
		if out == outNegative && !f.records.HasSOA() {
			return outLame
		}
		if t.settled && t.aside == x.server+1 || m.last(x.task, r) {
			return out
		}
		t.putAside(x.server, false)
		return outLame
	}
	if out == outNegative && resp.hollow() && !m.last(x.task, r) && t.putAside(x.server, true) {
		return outLame
	}
	return out
}

// putAside notes the first response that is taken only if there is none better.
func (t *task) putAside(server int32, hollow bool) bool {
	if t.aside != 0 {
		return false
	}
	t.aside, t.hollow = server+1, hollow
	return true
}

// settle goes on with what was put aside, since no other server has said anything better: a hollow response, or an
// answer without authority, which is asked for again. False if there was neither.
func (m *Machine) settle(i int32) bool {
	t := m.tasks.at(i)
	if t.aside == 0 || t.settled {
		return false
	}
	t.settled = true
	source := t.aside - 1
	if t.hollow {
		f := m.findings.take()
		defer m.findings.give()
		f.out, f.name, f.source = outNegative, t.current(), source
		f.setTarget(f.name)
		m.conclude(i, f)
		return true
	}
	r, ok := m.route(i)
	if !ok {
		return false
	}
	a := t.tried.Of(source)
	a.Excluded = false
	m.servers.OnceMore(a)
	if !m.send(i, source, &r) {
		return false
	}
	m.arm(i)
	return true
}

// last says whether all other servers have been tried in vain, as far as they are known.
func (m *Machine) last(i int32, r *route) bool {
	t := m.tasks.at(i)
	usable := 0
	for _, s := range r.servers {
		if _, ok := m.servers.Tries(&t.tried, s); ok && !m.servers.At(s).Down() {
			usable++
		}
	}
	return usable <= 1 && (r.kind != iterate || !m.delegations.mayWiden(t, m.delegations.at(i), m.now))
}
