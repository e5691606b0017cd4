package resolver

import (
	"net/netip"

	"heimdall/core/dname"
)

// Tap is told of responses of other servers that belong to a query, whatever becomes of them. Arguments are borrowed for
// the call.
type Tap interface{ Heard(h *Heard) }

// Heard is a response of another server.
type Heard struct {
	Server  netip.AddrPort
	Sock    uint16 // that it came to, if not Stream
	Stream  bool
	Forward bool       // the query asked for recursion
	Zone    dname.Name // that the server was asked about
	Sent    int64      // nanoseconds, when the query left
	Msg     []byte
}

// SetTap sets who is told; nil: nobody.
func (m *Machine) SetTap(t Tap) { m.tap = t }

// Asked tells of the query that ref means what its message does not: the zone that its server was asked about, and whether
// it asks for recursion. The zone is valid until the next call.
func (m *Machine) Asked(ref uint64) (zone dname.Name, forward bool) {
	i := m.exchanges.of(ref)
	if i < 0 {
		return nil, false
	}
	x := m.exchanges.at(i)
	return m.tasks.at(x.task).current().Suffix(int(x.zone)), x.recurse
}

// heard tells the tap of a response to exchange e.
func (m *Machine) heard(e int32, msg []byte) {
	x := m.exchanges.at(e)
	m.heardLast = Heard{
		Server: m.servers.At(x.server).Addr(), Sock: x.sock, Stream: x.stream, Forward: x.recurse,
		Zone: m.tasks.at(x.task).current().Suffix(int(x.zone)), Sent: x.sent, Msg: msg,
	}
	m.tap.Heard(&m.heardLast)
}
