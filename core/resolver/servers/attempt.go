package servers

// Bounds of the attempts of one question.
const (
	MaxPerServer = 3  // tries of one server
	maxPerPinned = 5  // likewise, if it is pinned: there is nobody beside the servers of its group
	MaxTried     = 16 // servers of one group or delegation that are told apart
)

// Attempt is what a question has tried with one server.
type Attempt struct {
	Server   int32
	Tries    uint8
	Excluded bool // it answered, and the answer was of no use
	Stream   bool // go over TCP
	NoEDNS   bool
	NoCookie bool
	Cookie   CookieDoubt
	Case     CaseDoubt
	Silent   bool // it let a datagram go by
}

// CookieDoubt is what came of the cookie sent to a server.
type CookieDoubt uint8

const (
	CookieFine    CookieDoubt = iota
	CookieBad                 // the server did not take it
	CookieNotOurs             // another one came back
)

// CaseDoubt is what came of the mixed letter case of a question.
type CaseDoubt uint8

const (
	CaseFine    CaseDoubt = iota
	CaseRefused           // the server was of no use: it is asked in lower case
	CaseLost              // it answered in another letter case
)

// Attempts are those of one question. The zero value is that nobody was asked. It holds no pointers.
type Attempts struct {
	list [MaxTried]Attempt
	n    uint8
}

// Clear forgets all.
func (a *Attempts) Clear() { a.n = 0 }

// All lists the servers tried. The list may be changed.
func (a *Attempts) All() []Attempt { return a.list[:a.n] }

// Of finds the attempt with a server, or begins it; with no room left, the last one serves.
func (a *Attempts) Of(server int32) *Attempt {
	for i := range a.list[:a.n] {
		if a.list[i].Server == server {
			return &a.list[i]
		}
	}
	if int(a.n) < MaxTried {
		a.n++
	}
	last := &a.list[a.n-1]
	*last = Attempt{Server: server}
	return last
}

// Tries is how often server i was asked, and whether it may be asked again.
func (t *Table) Tries(a *Attempts, i int32) (n uint8, usable bool) {
	for k := range a.list[:a.n] {
		if b := &a.list[k]; b.Server == i {
			return b.Tries, !b.Excluded && b.Tries < t.most(i)
		}
	}
	return 0, a.n < MaxTried
}

// most is how often one question may be asked of a server.
func (t *Table) most(i int32) uint8 {
	if t.list[i].pinned {
		return maxPerPinned
	}
	return MaxPerServer
}

// OnceMore sees to it that a server may be asked again, once at least.
func (t *Table) OnceMore(a *Attempt) { a.Tries = min(a.Tries, t.most(a.Server)-1) }
