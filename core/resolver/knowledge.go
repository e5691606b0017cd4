package resolver

import (
	"heimdall/core/dnssec"
	"heimdall/core/resolver/known"
	"heimdall/core/resolver/trust"
	"heimdall/core/wire"
)

// knowledge is what has been learned: it answers from that, and stores findings. Nobody is asked here.
type knowledge struct {
	known.Store
	realms   *realms
	trust    *trust.Store
	findings *findings
}

// answer finds what is known of the present question of a task: its records, or that there are none, or no such name.
func (k *knowledge) answer(t *task, f *finding, now int64) (status dnssec.Status, ok bool) {
	cur, second, do, brief := t.current(), seconds(now), t.wantsDO(k.trust), t.depth > 0
	f.out, f.name, f.source, f.do = outNegative, cur, fromKnown, do
	f.records, f.rcode, status, ok = k.Recall(f.records[:0], cur, t.typ, t.class, do, brief, second)
	if !ok && !(t.typ == wire.TypeDS && k.realms.apart(cur)) {
		f.records, f.rcode, status, ok = k.Recall(f.records[:0], cur, 0, t.class, do, brief, second)
	}
	if !ok {
		status, ok = k.deniedAbove(t, f, second)
	}
	f.setTarget(f.name)
	if rec, _, _ := f.records.Next(); ok && rec.Section == wire.Answer && len(f.records) > 0 {
		f.out = outAnswer
	}
	return status, ok
}

// alias finds the alias that is known at the present name of a task. The outcome is another than outAlias if it is
// known that there is none.
func (k *knowledge) alias(t *task, f *finding, now int64) (status dnssec.Status, ok bool) {
	f.out, f.name, f.source, f.do = outNegative, t.current(), fromKnown, t.wantsDO(k.trust)
	f.records, f.rcode, status, ok = k.Recall(f.records[:0], f.name, wire.TypeCNAME, t.class, f.do, t.depth > 0, seconds(now))
	if rec, _, _ := f.records.Next(); ok && rec.Type == wire.TypeCNAME && rec.Section == wire.Answer {
		f.out = outAlias
		f.setAlias(rec.RData)
	}
	return status, ok
}

// deniedAbove looks for a denial of a name above that of a task: there is nothing below it either (RFC 8020).
// Servers that deny empty non-terminals are still about, so that without signatures only a top-level domain
// is believed not to exist, as the root servers say. The finding is about the name that is denied.
func (k *knowledge) deniedAbove(t *task, f *finding, now uint32) (status dnssec.Status, ok bool) {
	cur := t.current()
	least, from := 1, 1
	if g := k.realms.groups.find(cur, t.typ); g != nil {
		least = max(g.zone.Labels(), 1)
		if from = cur.Labels() - 1; !k.trust.On() {
			return 0, false
		}
	} else if k.trust.On() {
		from = cur.Labels() - 1
	}
	for n := min(from, cur.Labels()-1); n >= least; n-- {
		f.records, f.rcode, status, ok = k.Recall(f.records[:0], cur.Suffix(n), 0, t.class, f.do, false, now)
		if ok && (n == 1 || status == dnssec.Secure) {
			f.name = cur.Suffix(n)
			return status, true
		}
	}
	f.records = f.records[:0]
	return 0, false
}
