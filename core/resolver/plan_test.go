package resolver

import (
	"strings"
	"testing"

	"heimdall/core/dnssec"
	"heimdall/core/wire"
)

// To plan counts nothing: the counters of the stores and of the machine stay as they are, found or not.
func TestPlanCountsNothing(t *testing.T) {
	w := newSignedWorld(t, nil)
	w.resolve(question("www.example.test.", wire.TypeA))
	w.resolve(question("www.plain.test.", wire.TypeA))
	stats, known := w.m.Stats(), w.m.known.Stats()
	for _, name := range []string{"www.example.test.", "none.example.test.", "www.plain.test.", "other."} {
		w.m.Plan(int64(w.now), question(name, wire.TypeA))
	}
	if got := w.m.known.Stats(); got != known {
		t.Errorf("what is known: %+v, before %+v", got, known)
	}
	if got := w.m.Stats(); got != stats {
		t.Errorf("the machine: %+v, before %+v", got, stats)
	}
	if w.resolve(question("www.example.test.", wire.TypeA)); w.m.known.Stats().Hits == known.Hits {
		t.Error("nothing is counted any more")
	}
}

// What a plan foresees is what happens: where it says that something is known, nobody is asked, and otherwise somebody is.
func TestPlanForesees(t *testing.T) {
	for _, c := range []struct {
		what    string
		learn   []string // names asked for before, without DO
		name    string
		do, cd  bool
		on      Basis
		end     string
		aliases int
		denied  string
		rcode   wire.Rcode
		status  dnssec.Status
	}{
		{what: "a new name", name: "www.example.test.", on: OnOthers, end: "www.example.test."},
		{what: "with DO what was asked for without", learn: []string{"www.example.test."}, name: "www.example.test.", do: true,
			on: OnRecords, end: "www.example.test.", status: dnssec.Secure},
		{what: "unsigned", learn: []string{"www.plain.test."}, name: "www.plain.test.", do: true, on: OnRecords, end: "www.plain.test.", status: dnssec.Insecure},
		{what: "a top-level domain between two", learn: []string{"nothing."}, name: "nonsense.", on: OnDenials, end: "nonsense.", rcode: wire.RcodeNXDomain, status: dnssec.Secure},
		{what: "the same for who does not validate", learn: []string{"nothing."}, name: "nonsense.", cd: true, on: OnOthers, end: "nonsense."},
		{what: "below a name that does not exist", learn: []string{"none.example.test."}, name: "a.b.none.example.test.",
			on: OnRecords, end: "a.b.none.example.test.", denied: "none.example.test.", rcode: wire.RcodeNXDomain, status: dnssec.Secure},
		{what: "an alias and its end", learn: []string{"alias.example.test."}, name: "alias.example.test.", do: true,
			on: OnRecords, end: "www.example.test.", aliases: 1, status: dnssec.Secure},
		{what: "an alias whose end is new", learn: []string{"alias.example.test./CNAME"}, name: "alias.example.test.", on: OnOthers, end: "www.example.test.", aliases: 1},
		{what: "a wildcard", learn: []string{"x.wild.example.test.", "none.example.test."}, name: "z.wild.example.test.", on: OnDenials, end: "z.wild.example.test.", status: dnssec.Secure},
	} {
		w := newSignedWorld(t, nil)
		for _, text := range c.learn {
			name, alias, typ := text, false, wire.TypeA
			if name, _, alias = strings.Cut(text, "/"); alias {
				typ = wire.TypeCNAME
			}
			w.resolve(question(name, typ))
		}
		q := question(c.name, wire.TypeA)
		q.DO, q.CD = c.do, c.cd
		plan, _ := w.m.Plan(int64(w.now), q)
		p := plan.Foreseen
		if p.On != c.on || p.Name.String() != c.end || p.Aliases != c.aliases || p.Denied != nil != (c.denied != "") || c.denied != "" && p.Denied.String() != c.denied {
			t.Errorf("%s: %+v", c.what, p)
		}
		if c.on != OnOthers && (p.Rcode != c.rcode || p.Status != c.status) {
			t.Errorf("%s: %v, %v", c.what, p.Rcode, p.Status)
		}
		before := len(w.log)
		a, _ := w.resolve(q)
		if asked := len(w.log) > before; asked != (c.on == OnOthers) {
			t.Errorf("%s: %d queries were sent", c.what, len(w.log)-before)
		}
		if c.on != OnOthers && (a.Rcode != c.rcode || a.AD != (c.status == dnssec.Secure)) {
			t.Errorf("%s: the answer is %v, AD %v", c.what, a.Rcode, a.AD)
		}
		w.idle()
	}
}

// Where an alias leads out of a zone that is served here, what it leads to is foreseen.
func TestPlanForeseesFromHere(t *testing.T) {
	w := newSignedWorld(t, nil)
	w.m.SetHere(&local{t: t, zone: "own.test.", records: []string{"in.own.test. 60 CNAME h.own.test.", "h.own.test. 60 A 10.0.0.1", "out.own.test. 60 CNAME www.example.test."}})
	for _, c := range []struct {
		name, end string
		on        Basis
	}{
		{"in.own.test.", "h.own.test.", OnZones}, {"out.own.test.", "www.example.test.", OnOthers},
	} {
		plan, _ := w.m.Plan(int64(w.now), question(c.name, wire.TypeA))
		if p := plan.Foreseen; p.On != c.on || p.Name.String() != c.end {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
	w.resolve(question("www.example.test.", wire.TypeA))
	plan, _ := w.m.Plan(int64(w.now), question("out.own.test.", wire.TypeA))
	if p := plan.Foreseen; p.On != OnRecords || p.Aliases != 1 || p.Status != dnssec.Insecure {
		t.Errorf("its end is known: %+v", p)
	}
	w.idle()
}
