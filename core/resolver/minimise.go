package resolver

import "heimdall/core/resolver/servers"

// Bounds of QNAME minimisation (RFC 9156, section 2.3).
const (
	minimiseOne  = 4  // MINIMISE_ONE_LAB
	maxMinimised = 10 // MAX_MINIMISE_COUNT
)

// minimise decides how many labels of the present name the next question shows to servers of a zone with so many labels:
// with plain all of them.
func (t *task) minimise(zone int, plain bool) {
	full := t.current().Labels()
	if plain || t.plainNames || t.depth == primeDepth || t.steps >= maxMinimised {
		t.asked = uint8(full)
		return
	}
	if int(t.asked) <= zone {
		t.asked = uint8(zone + 1)
	}
	if t.steps++; t.steps > minimiseOne {
		left := maxMinimised - int(t.steps) + 1
		t.asked += uint8((full - int(t.asked)) / max(left, 1))
	}
	// Labels such as _tcp are no zone cuts.
	for n := int(t.asked); n < full && t.current().Suffix(n)[1] == '_'; n++ {
		t.asked++
	}
	t.asked = min(t.asked, uint8(full))
}

// askWhole asks for the whole name, when two queries for a shorter one were not answered: some servers drop questions for
// names that they have no data for (RFC 9156, section 2.3).
func (t *task) askWhole(known *servers.Table) {
	if !t.chosen || t.plainNames || int(t.asked) >= t.current().Labels() {
		return
	}
	tries := 0
	for n := range t.tried.All() {
		tries += int(t.tried.All()[n].Tries)
	}
	if tries < 2 {
		return
	}
	t.plainNames, t.chosen = true, false
	for n := range t.tried.All() {
		known.OnceMore(&t.tried.All()[n])
	}
}
