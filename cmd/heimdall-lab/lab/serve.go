package lab

import (
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// server is a name server with an address of its own.
type server struct {
	host    string
	manner  Manner
	addr    netip.Addr
	zones   map[string]*zone // by origin
	root    *zone
	queries atomic.Int64
}

// maxUDP is the largest response over UDP in octets (DNS flag day 2020).
const maxUDP = 1232

// address returns the address record of the server.
func (s *server) address() dns.RR {
	h := dns.RR_Header{Name: s.host, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 3600}
	if s.addr.Is4() {
		return &dns.A{Hdr: h, A: s.addr.AsSlice()}
	}
	h.Rrtype = dns.TypeAAAA
	return &dns.AAAA{Hdr: h, AAAA: s.addr.AsSlice()}
}

// ServeDNS answers one query in the server's manner.
func (s *server) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	s.queries.Add(1)
	r := new(dns.Msg).SetReply(q)
	r.Compress = true
	_, udp := w.RemoteAddr().(*net.UDPAddr)
	opt := q.IsEdns0()
	limit := dns.MaxMsgSize
	if udp {
		limit = dns.MinMsgSize
	}
	switch {
	case s.manner == PlainDNS && opt != nil:
		r.Rcode = dns.RcodeFormatError // RFC 6891, section 7: without an OPT record.
		w.WriteMsg(r)
		return
	case opt != nil:
		r.SetEdns0(maxUDP, opt.Do())
		if udp {
			limit = min(max(limit, int(opt.UDPSize())), maxUDP)
		}
	}
	z := s.zoneFor(&r.Question[0])
	switch {
	case s.manner == Dead:
		return
	case s.manner == Refusing || z == nil || r.Question[0].Qclass != dns.ClassINET:
		r.Rcode = dns.RcodeRefused
	case s.manner == Upwards:
		(&response{Msg: r, zone: s.root}).refer(s.root.origin)
	case s.manner == Sideways:
		(&response{Msg: r, zone: z}).refer(z.origin)
	case s.manner == Elsewhere:
		r.Authoritative, r.Rcode = true, dns.RcodeNameError
		soa := dns.Copy(z.nodes[z.origin][dns.TypeSOA][0])
		soa.Header().Name = "elsewhere."
		r.Ns = append(r.Ns, soa)
	case s.manner == Truncating && udp:
		r.Authoritative, r.Truncated = true, true
	default:
		if s.manner == LowerCasing {
			r.Question[0].Name = strings.ToLower(r.Question[0].Name)
		}
		z.answer(r, opt != nil && opt.Do())
	}
	if s.manner == Slow {
		time.Sleep(slowness)
	}
	r.Truncate(limit)
	w.WriteMsg(r)
}

// zoneFor returns the zone that answers a question, or nil. DS records belong to the zone above, if the server
// has it (RFC 4035, section 3.1.4.1).
func (s *server) zoneFor(q *dns.Question) *zone {
	name := strings.ToLower(q.Name)
	for at := name; ; at = up(at) {
		z := s.zones[at]
		if z != nil && q.Qtype == dns.TypeDS && at == name && z.parent != nil && s.zones[z.parent.origin] == z.parent {
			z = z.parent
		}
		if z != nil || at == "." {
			return z
		}
	}
}

// listen opens the server's sockets in the network namespace of the calling thread.
func (s *server) listen() (*dns.Server, *dns.Server, error) {
	addr := netip.AddrPortFrom(s.addr, 53).String()
	p, err := net.ListenPacket("udp", addr)
	if err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		p.Close()
		return nil, nil, err
	}
	return &dns.Server{PacketConn: p, Handler: s}, &dns.Server{Listener: l, Handler: s}, nil
}
