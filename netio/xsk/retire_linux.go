package xsk

import (
	"time"

	"heimdall/netio"
)

// sendWithin bounds the wait for frames that the device has not sent yet.
const sendWithin = 100 * time.Millisecond

// Retire closes the socket, when what was given to it to send is sent, and returns a port that receives nothing, for responses
// that come later: they leave through the kernel socket of the listen address.
func (p *Port) Retire() netio.Port {
	for end := time.Now().Add(sendWithin); len(p.free) < sendFrames && time.Now().Before(end); p.reclaim() {
		p.flush()
		time.Sleep(50 * time.Microsecond)
	}
	r := &retired{port: p, stats: p.Stats()}
	p.Close()
	return r
}

// retired is what is left of a port whose socket is closed.
type retired struct {
	port  *Port
	stats netio.PortStats
}

// Recv implements netio.Port.
func (r *retired) Recv([]netio.Datagram) int { return 0 }

// Send implements netio.Port.
func (r *retired) Send(out []netio.Datagram) (sent int) {
	for i := range out {
		index, way, generation := splitScope(out[i].Peer.Scope)
		if way >= len(r.port.ways.list) {
			r.stats.SendDrops++
			continue
		}
		sent += r.port.detour(&out[i], way, r.port.links.get(index, generation))
	}
	return sent
}

// FD implements netio.Port.
func (r *retired) FD() int { return -1 }

// MeasureAge implements netio.Port.
func (r *retired) MeasureAge(bool) {}

// Stats implements netio.Port.
func (r *retired) Stats() netio.PortStats { return r.stats }

// Close implements netio.Port.
func (r *retired) Close() error { return nil }
