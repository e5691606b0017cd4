package xsk

import "heimdall/netio"

// way is one listen address as frames show it.
type way struct {
	addr     [16]byte // in the form of netio.Endpoint; of no meaning if wildcard
	port     uint16
	wildcard bool
	is4      bool
	socket   netio.Port
}

// match tells whether a query from e to the port came to this address.
func (w *way) match(e *netio.Endpoint, port uint16) bool {
	return w.port == port && (w.addr == e.Local || w.wildcard && w.is4 == e.Is4())
}

// ways are the listen addresses of a port.
type ways struct {
	list []way // wildcards behind the others, which are better matches
	last int   // index of the one found last
}

func makeWays(from []Way) (w ways) {
	for _, wildcard := range []bool{false, true} {
		for _, f := range from {
			if a := f.Addr.Addr(); a.IsUnspecified() == wildcard {
				w.list = append(w.list, way{addr: a.As16(), port: f.Addr.Port(), wildcard: wildcard, is4: a.Unmap().Is4(), socket: f.Port})
			}
		}
	}
	return w
}

// find returns the number of the listen address that a query came to, or -1.
func (w *ways) find(e *netio.Endpoint, port uint16) int {
	if w.last < len(w.list) && !w.list[w.last].wildcard && w.list[w.last].match(e, port) {
		return w.last
	}
	for i := range w.list {
		if w.list[i].match(e, port) {
			w.last = i
			return i
		}
	}
	return -1
}
