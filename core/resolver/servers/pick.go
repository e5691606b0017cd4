package servers

import "heimdall/core/dname"

const (
	exploreOneIn = 20 // queries that go to a random server instead of the best, to learn its speed
	bandShift    = 2  // servers within a quarter of the best one's time are taken as equal
	bandFloor    = int64(2e6)
)

// standing is how good a server is to ask, apart from its speed. The smaller, the better.
type standing uint8

const (
	standsUp     standing = iota
	standsDown            // it has answered nothing lately
	standsBarred          // nothing could be sent to it lately
	standings
)

// Choice is whom Pick has chosen.
type Choice struct {
	Server   int32 // -1: all were tried enough
	standing standing
	Tries    uint8 // how often the question was put to it already
	Suspect  bool  // it has let the last question go by, whoever asked
	Full     bool  // there is a server that is down, and as many questions wait for it as may
}

// Found says whether there is anybody to ask.
func (c *Choice) Found() bool { return c.Server >= 0 }

// Up says whether the server has answered lately, as far as anybody has asked it.
func (c *Choice) Up() bool { return c.Found() && c.standing == standsUp }

// Pressing says whether it is time to look for other servers: everybody of good standing has been asked at least once,
// in vain so far, or the best has just let another question go by.
func (c *Choice) Pressing() bool {
	return !c.Up() || c.Tries > 0 || c.Suspect
}

// standing says how a server stands, and whether a question may be put to it, which was done n times.
func (t *Table) standing(a *Attempts, i int32, now int64) (st standing, n uint8, usable, full bool) {
	s := &t.list[i]
	n, usable = t.Tries(a, i)
	switch {
	case s.Barred(now):
		st = standsBarred
	case s.down:
		st = standsDown
		full = usable && n == 0 && s.pins >= t.silentLimit(s)
	}
	return st, n, usable && !full && !(n > 0 && t.crowded(s)), full
}

// Pick chooses who is asked next: of the servers that stand best, those tried least; of these the fastest, or one of
// those about as fast, or now and then any. What is silent or out of reach is the last resort, but it is one.
func (t *Table) Pick(list []int32, a *Attempts, now int64, rnd Rand) Choice {
	lead, fewest, best, full := standings, uint8(0), int64(0), false
	spent := t.spentOnSilent(a) >= maxSilent
	for _, i := range list {
		st, n, usable, f := t.standing(a, i, now)
		full = full || f
		if !usable || st == standsDown && spent || st > lead || st == lead && n > fewest {
			continue
		}
		c := t.list[i].cost()
		if st == lead && n == fewest {
			c = min(best, c)
		}
		lead, fewest, best = st, n, c
	}
	if lead == standings {
		return Choice{Server: -1, Full: full}
	}
	random := rnd.Uint64()
	limit := best + max(best>>bandShift, bandFloor)
	if random%exploreOneIn == 0 {
		limit = 1<<63 - 1
	}
	random >>= 8
	chosen, seen := int32(-1), uint64(0)
	for _, i := range list {
		if st, n, usable, _ := t.standing(a, i, now); !usable || st != lead || n != fewest || t.list[i].cost() > limit {
			continue
		}
		if seen++; random%seen == 0 { // reservoir of one
			chosen = i
		}
		random = dname.Mix(random + seen)
	}
	return Choice{Server: chosen, standing: lead, Tries: fewest, Suspect: t.list[chosen].Silent(), Full: full}
}
