package resolver

import (
	"testing"

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
