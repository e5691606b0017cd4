package hot

import (
	"errors"
	"fmt"
	"slices"

	"heimdall/ebpf"
	"heimdall/netio/udp"
	"heimdall/shard/seed"
)

// Steering says to the kernel which shard gets what comes to a listen address. While the number of shards changes a
// program does so in any case: what it does not know of gets nothing, and can be read to its end.
//
// Its methods are called one at a time.
type Steering struct {
	by   ebpf.By
	seed ebpf.Seed        // the same for all addresses: so is the shard of a name
	udp  []*ebpf.Steering // by listen address; none: the kernel's own hash, or a classic program
	tcp  []*ebpf.Steering // likewise
}

// Sockets are the descriptors of a shard's sockets in the order of the listen addresses, of which there is at least one.
type Sockets struct {
	CPU      int // of the shard; below 0: none in particular
	UDP, TCP []int
}

// NewSteering returns a Steering that leaves the choice to the kernel as yet.
func NewSteering(by ebpf.By) *Steering { return &Steering{by: by, seed: seed.Long()} }

// Owners tells which of the shards gets the queries for a name; nil: any may. shards is how many there are by now: a single one
// is not steered to yet.
func (s *Steering) Owners(shards int) *ebpf.Owners {
	if s.by != ebpf.ByName || shards > 1 && len(s.udp) == 0 {
		return nil
	}
	return ebpf.NewOwners(s.seed)
}

// Maps are what another process needs to steer on: of each listen address the descriptor of the map of sockets, -1 where there
// is none, and the seed by which names have their owners.
type Maps struct {
	Seed     ebpf.Seed
	UDP, TCP []int
}

// Maps returns the Steering's own. The descriptors stay its own.
func (s *Steering) Maps() Maps {
	m := Maps{Seed: s.seed}
	for _, p := range s.udp {
		m.UDP = append(m.UDP, p.FD())
	}
	for _, p := range s.tcp {
		m.TCP = append(m.TCP, p.FD())
	}
	return m
}

// Adopt steers among the shards of list, which run, instead of another process whose Maps they are, by listen address.
// The descriptors stay the caller's. When that process has ended, Rest is called. On an error the kernel chooses by the
// addresses of a query, or the other process does so still.
func (s *Steering) Adopt(list []Sockets, m Maps) error {
	held := func(fd int) bool { return fd >= 0 }
	if !slices.ContainsFunc(m.UDP, held) && !slices.ContainsFunc(m.TCP, held) {
		return s.Begin(list)
	}
	s.seed = m.Seed
	if err := s.hold(list, m); err != nil {
		return err
	}
	ebpf.Settle()
	return nil
}

// Begin steers among the shards of list, if the kernel does not do by itself what is wanted. On an error it chooses by the
// addresses of a query.
func (s *Steering) Begin(list []Sockets) error {
	if len(list) < 2 || s.by == ebpf.ByFlow {
		return nil
	}
	err := s.Hold(list)
	if err != nil && s.by == ebpf.ByCPU {
		return steerByCPU(list)
	}
	return err
}

// Clear takes off what a process that is gone has left on the sockets of list.
func Clear(list []Sockets) error {
	var errs []error
	for _, fds := range [][]int{list[0].UDP, list[0].TCP} {
		for _, fd := range fds {
			errs = append(errs, ebpf.DetachSteering(fd))
		}
	}
	return errors.Join(errs...)
}

// steerByCPU does what ebpf.ByCPU does, without the right to load eBPF programs. With it the number of shards cannot change.
func steerByCPU(list []Sockets) error {
	var cpus []int
	for _, s := range list {
		cpus = append(cpus, s.CPU)
	}
	for i := range list[0].UDP {
		for _, fd := range []int{list[0].UDP[i], list[0].TCP[i]} {
			if err := udp.AttachCPU(fd, cpus); err != nil {
				return fmt.Errorf("steer by CPU: %w", err)
			}
		}
	}
	return nil
}

// Hold has programs choose among the shards of list, which have all sockets of the listen addresses. On an error
// the kernel chooses as it did before.
func (s *Steering) Hold(list []Sockets) error { return s.hold(list, Maps{}) }

// hold is Hold, with the maps of another process.
func (s *Steering) hold(list []Sockets, m Maps) error {
	byTCP := s.by
	if byTCP == ebpf.ByName {
		byTCP = ebpf.ByFlow // a connection has no name yet
	}
	var err error
	if len(s.udp) == 0 {
		s.udp, err = s.attach(s.by, udpSockets(list), m.UDP)
	}
	if err == nil && len(s.tcp) == 0 {
		if s.tcp, err = s.attach(byTCP, tcpSockets(list), m.TCP); err != nil {
			for i, sockets := range udpSockets(list) {
				err = errors.Join(err, s.udp[i].Detach(sockets[0].FD))
			}
			s.udp = nil
		}
	}
	return err
}

// Resume steers among the shards of list again, after another process that wanted to do so has failed.
func (s *Steering) Resume(list []Sockets) error {
	var errs []error
	for i, sockets := range udpSockets(list)[:len(s.udp)] {
		errs = append(errs, s.udp[i].Resume(sockets))
	}
	for i, sockets := range tcpSockets(list)[:len(s.tcp)] {
		errs = append(errs, s.tcp[i].Resume(sockets))
	}
	return errors.Join(append(errs, s.Rest(list))...)
}

// attach attaches a program for each listen address, with a map of another process where there is one.
func (s *Steering) attach(by ebpf.By, sockets [][]ebpf.Socket, maps []int) (list []*ebpf.Steering, err error) {
	for i := range sockets {
		var p *ebpf.Steering
		if i < len(maps) && maps[i] >= 0 {
			p, err = ebpf.AdoptSteering(by, s.seed, sockets[i], maps[i])
		} else {
			p, err = ebpf.AttachSteering(by, s.seed, sockets[i])
		}
		if err != nil {
			for i, p := range list {
				err = errors.Join(err, p.Detach(sockets[i][0].FD))
			}
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// Turn makes the shards of list the only ones that get queries. When it returns, all that the others will get is in their
// sockets. It needs Hold.
func (s *Steering) Turn(list []Sockets) error {
	var errs []error
	for i, sockets := range udpSockets(list) {
		errs = append(errs, s.udp[i].Update(sockets))
	}
	for i, sockets := range tcpSockets(list) {
		errs = append(errs, s.tcp[i].Update(sockets))
	}
	ebpf.Settle()
	return errors.Join(errs...)
}

// Rest leaves UDP to the kernel again, if it does by itself what is wanted: that costs less. The shards of list
// have all sockets again. For TCP the programs stay: they see to connections whose handshake is under way when
// a listener is closed, and a connection is rare enough.
func (s *Steering) Rest(list []Sockets) error {
	if s.by != ebpf.ByFlow && len(list) > 1 {
		return nil
	}
	var errs []error
	for i, sockets := range udpSockets(list)[:len(s.udp)] {
		errs = append(errs, s.udp[i].Detach(sockets[0].FD))
	}
	s.udp = nil
	return errors.Join(errs...)
}

// Close lets go of the programs. A nil Steering has none.
func (s *Steering) Close() {
	if s == nil {
		return
	}
	for _, p := range append(s.udp, s.tcp...) {
		p.Close()
	}
	s.udp, s.tcp = nil, nil
}

// udpSockets are the sockets of the shards at each listen address.
func udpSockets(list []Sockets) [][]ebpf.Socket {
	return byAddress(list, func(s *Sockets) []int { return s.UDP })
}

func tcpSockets(list []Sockets) [][]ebpf.Socket {
	return byAddress(list, func(s *Sockets) []int { return s.TCP })
}

func byAddress(list []Sockets, fds func(*Sockets) []int) [][]ebpf.Socket {
	out := make([][]ebpf.Socket, len(fds(&list[0])))
	for i := range out {
		for n := range list {
			out[i] = append(out[i], ebpf.Socket{FD: fds(&list[n])[i], CPU: list[n].CPU})
		}
	}
	return out
}
