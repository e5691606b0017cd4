package servers

import "time"

// A server that drops questions is not dead, and a dead one is to be found alive when it is back: whoever has no better
// server asks it, but not so many at a time that they take the room of all others. These are shares of the questions that
// may be in flight.
const (
	silentShare = 64 // one in so many questions at most may wait for a server that is down
	pinnedShare = 2  // likewise for one that is pinned
	overdueCut  = 4  // with one in so many of these overdue, a question asks the server once and waits one window

	minSilent  = 4                              // questions that may wait for any server
	maxSilent  = 6                              // queries of one question to servers that are down
	silentWait = int64(1000 * time.Millisecond) // window of a query to a server that is down
)

// silentLimit is how many queries may wait for a server that is down.
func (t *Table) silentLimit(s *Server) int32 {
	share := silentShare
	if s.pinned {
		share = pinnedShare
	}
	return int32(max(t.questions/share, minSilent))
}

// Crowded says whether so many queries to server i are overdue that a question gives up on it after one window.
func (t *Table) Crowded(i int32) bool { return t.crowded(&t.list[i]) }

func (t *Table) crowded(s *Server) bool { return s.overdue > t.silentLimit(s)/overdueCut }

// Window is how long a question waits for a response of server i until it tries something else. The fewer questions wait,
// the more it is stretched for a server that lets many go by.
func (t *Table) Window(i int32) int64 {
	s := &t.list[i]
	switch {
	case s.pins > t.silentLimit(s)/overdueCut:
		return s.measuredRTO()
	case s.down:
		return min(s.RTO(), silentWait)
	}
	return s.RTO()
}

// spentOnSilent is how often a question has asked servers that are down.
func (t *Table) spentOnSilent(a *Attempts) (n int) {
	for _, b := range a.All() {
		if t.list[b.Server].down {
			n += int(b.Tries)
		}
	}
	return n
}
