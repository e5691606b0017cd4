package outbound

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"syscall"

	"heimdall/netio"
)

// noSocket stands where no socket is open.
const noSocket = math.MaxUint16

// maxBindTries bounds the random ports tried for one socket before the kernel chooses.
const maxBindTries = 16

// avoided are ports that other parties treat specially, so that an answer might
// not come back: the kernel takes the packets of tunnels (VXLAN 4789 and 8472,
// RoCE 4791, GENEVE 6081, WireGuard 51820), and networks filter those that
// amplification attacks use (SSDP 1900, WS-Discovery 3702, mDNS 5353,
// memcached 11211).
var avoided = [...]uint16{1900, 3702, 4789, 4791, 5353, 6081, 8472, 11211, 51820}

// family is the sockets of one address family.
type family struct {
	usable  bool
	bind    netip.Addr // the zero Addr: any
	local   rawAddr    // the same, and the port that is tried
	active  []uint16   // the sockets in use, or noSocket where none is open yet
	open    int        // how many of them are open
	retired []uint16   // replaced sockets, the earliest first
	idle    uint16     // the first of the sockets of one query that wait for another
	idles   int        // how many of them there are
}

// socket is one shared source port, or a number for one.
type socket struct {
	fd     int // -1: not open
	ipv6   bool
	turn   uint32 // how many sockets have had this number
	uses   int    // datagrams sent
	owed   int    // datagrams sent and not yet answered, as far as can be known
	born   int64
	closes int64 // when a replaced socket is closed; 0: in use
}

func (p *Pool) family(ipv6 bool) *family {
	if ipv6 {
		return &p.families[1]
	}
	return &p.families[0]
}

// openFamilies finds out which families can be used by opening a socket of each.
func (p *Pool) openFamilies() error {
	total := 2 * 2 * p.o.Sockets
	p.sockets = make([]socket, total)
	p.free = make([]uint16, total)
	for i := range p.sockets {
		p.sockets[i].fd = -1
		p.free[i] = uint16(i)
	}
	p.owns.init(total, p.o.Ports)
	p.kernelPorts = [2]uint16{1, 0}
	if low, high, ok := localPortRange(); ok && low >= p.o.MinPort && high <= p.o.MaxPort {
		p.kernelPorts = [2]uint16{low, high}
	}
	var missing error
	for i := range p.families {
		f := &p.families[i]
		f.idle = noSocket
		f.active = make([]uint16, p.o.Sockets)
		for j := range f.active {
			f.active[j] = noSocket
		}
		f.retired = make([]uint16, 0, p.o.Sockets)
		ipv6, off, bind := i == 1, p.o.NoIPv4, p.o.Bind4
		if ipv6 {
			off, bind = p.o.NoIPv6, p.o.Bind6
		}
		if off {
			continue
		}
		f.bind = bind.Unmap()
		if bind.IsValid() && f.bind.Is4() == ipv6 {
			return fmt.Errorf("source address %s is of the other family", bind)
		}
		local := [...]netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}[i]
		if bind.IsValid() {
			local = f.bind
		}
		if e := p.address(&f.local, netip.AddrPortFrom(local, 0)); e != 0 {
			return fmt.Errorf("bind source address %s: %w", bind, e)
		}
		f.usable = true
		if _, e := p.openAt(ipv6, 0); e != 0 {
			f.usable = false
			missing = fmt.Errorf("bind source address: %w", e)
			if bind.IsValid() {
				return fmt.Errorf("bind source address %s: %w", bind, e)
			}
		}
	}
	if !p.families[0].usable && !p.families[1].usable {
		if missing == nil {
			return errors.New("IPv4 and IPv6 are both turned off")
		}
		return missing
	}
	return nil
}

// Pick returns one of the shared sockets at random that can reach server, or
// false when there is none: the family is not available, or no descriptor is left.
// Their ports are few, and anyone who has a zone learns them by asking for its
// names: a query from them needs other protection, by a cookie.
func (p *Pool) Pick(server netip.AddrPort) (sock uint16, ok bool) {
	ipv6 := !server.Addr().Unmap().Is4()
	f := p.family(ipv6)
	if !f.usable {
		return 0, false
	}
	place := p.random(len(f.active))
	sock = f.active[place]
	if sock != noSocket {
		if p.sockets[sock].uses < p.o.UsesPerSocket || !p.roomToRetire(f) {
			return sock, true
		}
	}
	if fresh, e := p.openAt(ipv6, place); e == 0 {
		return fresh, true
	}
	if sock != noSocket {
		return sock, true
	}
	for _, sock = range f.active {
		if sock != noSocket {
			return sock, true
		}
	}
	return 0, false
}

// openAt opens a socket on a random port at the given place, and retires the one
// that was there.
func (p *Pool) openAt(ipv6 bool, place int) (uint16, syscall.Errno) {
	f := p.family(ipv6)
	fd, e := p.bind(p.randomPort(), func(port uint16) (int, syscall.Errno) { return openDatagram(ipv6, f.bind, port, p.o.RcvBuf) })
	if e != 0 {
		p.stats.OpenErrors++
		return 0, e
	}
	sock := p.free[0]
	if err := p.poller.Add(fd, netio.Readable, netio.Token(netio.KindOutUDP, uint32(sock))); err != nil {
		p.stats.OpenErrors++
		closeSocket(fd)
		return 0, syscall.ENOSPC
	}
	p.free = append(p.free[:0], p.free[1:]...)
	p.stats.Opened++
	if old := f.active[place]; old != noSocket {
		p.retire(f, place)
	}
	p.sockets[sock] = socket{fd: fd, ipv6: ipv6, turn: p.sockets[sock].turn + 1, born: p.now}
	f.active[place] = sock
	f.open++
	p.sweepAt = min(p.sweepAt, p.now+int64(p.o.MaxAge))
	return sock, 0
}

// bind opens a socket on a random port, with the function that opens one on a
// given port, or on any for zero. port is the first to try.
func (p *Pool) bind(port uint16, open func(port uint16) (int, syscall.Errno)) (int, syscall.Errno) {
	var last syscall.Errno
	for range maxBindTries {
		fd, e := open(port)
		if e == 0 {
			return fd, 0
		}
		last, port = e, p.randomPort()
		// EACCES: below net.ipv4.ip_unprivileged_port_start.
		if e != syscall.EADDRINUSE && e != syscall.EACCES {
			return -1, e
		}
	}
	if p.o.MinPort != defaultMinPort || p.o.MaxPort != defaultMaxPort {
		return -1, last
	}
	fd, e := open(0)
	if e == 0 {
		p.stats.Unbound++
	}
	return fd, e
}

func (p *Pool) randomPort() uint16 {
	for {
		port := p.o.MinPort + uint16(p.random(int(p.o.MaxPort)-int(p.o.MinPort)+1))
		if !avoid(port) || p.o.MaxPort-p.o.MinPort < 2*uint16(len(avoided)) {
			return port
		}
	}
}

func avoid(port uint16) bool {
	for _, a := range avoided {
		if port == a {
			return true
		}
	}
	return false
}

// retire takes the socket at place out of use; it still receives for a while.
func (p *Pool) retire(f *family, place int) {
	sock := f.active[place]
	f.active[place] = noSocket
	f.open--
	p.sockets[sock].closes = p.now + int64(p.o.Grace)
	f.retired = append(f.retired, sock)
	p.sweepAt = min(p.sweepAt, p.sockets[sock].closes)
}

// roomToRetire makes sure that one more socket can be retired: when as many are
// as may be, the earliest that is owed no answer closes before its time.
func (p *Pool) roomToRetire(f *family) bool {
	if len(f.retired) < cap(f.retired) {
		return true
	}
	for i, sock := range f.retired {
		if p.sockets[sock].owed <= 0 {
			p.shut(sock)
			f.retired = append(f.retired[:i], f.retired[i+1:]...)
			return true
		}
	}
	return false
}

// Local returns the address that datagrams leave from a socket that is in use; the address is the unspecified one if the
// kernel chooses it anew for each, and all is zero if the socket is not in use. It costs a system call.
func (p *Pool) Local(sock uint16) netip.AddrPort {
	fd := -1
	if i, ok := p.owns.index(sock); ok {
		fd = p.owns.list[i].fd
	} else if int(sock) < len(p.sockets) {
		fd = p.sockets[sock].fd
	}
	if fd < 0 {
		return netip.AddrPort{}
	}
	localAddr(fd, &p.at)
	return p.addrPort(&p.at)
}

func (p *Pool) shut(sock uint16) {
	closeSocket(p.sockets[sock].fd)
	p.sockets[sock].fd = -1
	p.free = append(p.free, sock)
}

// sweepSockets closes retired sockets whose grace has passed and retires those
// too old, without a successor until one is picked.
func (p *Pool) sweepSockets() {
	next := int64(math.MaxInt64)
	for i := range p.families {
		f := &p.families[i]
		for len(f.retired) > 0 && p.sockets[f.retired[0]].closes <= p.now {
			p.shut(f.retired[0])
			f.retired = append(f.retired[:0], f.retired[1:]...)
		}
		for place, sock := range f.active {
			if sock == noSocket {
				continue
			}
			dies := p.sockets[sock].born + int64(p.o.MaxAge)
			if dies <= p.now && p.roomToRetire(f) {
				p.retire(f, place)
			} else {
				next = min(next, dies)
			}
		}
		if len(f.retired) > 0 {
			next = min(next, p.sockets[f.retired[0]].closes)
		}
	}
	p.sweepAt = max(next, p.now+sweepNanos)
}
