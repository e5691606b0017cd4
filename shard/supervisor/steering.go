package supervisor

import (
	"errors"
	"fmt"

	"heimdall/ebpf"
	"heimdall/netio/udp"
)

// steering says to the kernel which shard gets what comes to a listen address, as xdp.steer has it. While the number of
// shards changes a program does so in any case: what it does not know of gets nothing, and can be read to its end.
//
// Its methods are called one at a time.
type steering struct {
	by   string           // xdp.steer
	seed ebpf.Seed        // the same for all addresses: so is the shard of a name
	udp  []*ebpf.Steering // by listen address; none: the kernel's own hash, or a classic program
	tcp  []*ebpf.Steering // likewise
}

// startSteering begins to steer among the shards of list. What is not possible on this machine is told in a warning.
func (s *Supervisor) startSteering(list []*worker) error {
	s.steering = steering{by: s.config().XDP.Steer, seed: newNameSeed()}
	if len(list) < 2 || s.steering.by == "flow" {
		return nil
	}
	err := s.steering.hold(list)
	switch {
	case err == nil:
		return nil
	case s.steering.by == "cpu":
		return steerByCPU(list)
	}
	s.warn("steering by name is off, the kernel spreads queries by their addresses", err)
	return nil
}

// steerByCPU does what ebpf.ByCPU does, for who is not permitted to load eBPF programs. The number of shards cannot
// change under it.
func steerByCPU(list []*worker) error {
	var cpus []int
	for _, w := range list {
		cpus = append(cpus, w.seats.wanted().CPU)
	}
	for i, l := range list[0].opt.Listeners {
		for _, fd := range []int{list[0].opt.Ports[i].FD(), l.FD()} {
			if err := udp.AttachCPU(fd, cpus); err != nil {
				return fmt.Errorf("steer by CPU: %w", err)
			}
		}
	}
	return nil
}

// hold has programs choose among the shards of list, which have all sockets of the listen addresses. On an error
// the kernel chooses as it did before.
func (st *steering) hold(list []*worker) error {
	byUDP := map[string]ebpf.By{"flow": ebpf.ByFlow, "cpu": ebpf.ByCPU, "name": ebpf.ByName}[st.by]
	byTCP := byUDP
	if byTCP == ebpf.ByName {
		byTCP = ebpf.ByFlow // a connection has no name yet
	}
	var err error
	if len(st.udp) == 0 {
		st.udp, err = st.attach(byUDP, udpSockets(list))
	}
	if err == nil && len(st.tcp) == 0 {
		if st.tcp, err = st.attach(byTCP, tcpSockets(list)); err != nil {
			for i, sockets := range udpSockets(list) {
				err = errors.Join(err, st.udp[i].Detach(sockets[0].FD))
			}
			st.udp = nil
		}
	}
	return err
}

func (st *steering) attach(by ebpf.By, sockets [][]ebpf.Socket) (list []*ebpf.Steering, err error) {
	for i := range sockets {
		p, err := ebpf.AttachSteering(by, st.seed, sockets[i])
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

// turn makes the shards of list the only ones that get anything. When it returns, what others have got is in
// their sockets. It needs hold.
func (st *steering) turn(list []*worker) error {
	var errs []error
	for i, sockets := range udpSockets(list) {
		errs = append(errs, st.udp[i].Update(sockets))
	}
	for i, sockets := range tcpSockets(list) {
		errs = append(errs, st.tcp[i].Update(sockets))
	}
	ebpf.Settle()
	return errors.Join(errs...)
}

// rest leaves UDP to the kernel again, if it does by itself what xdp.steer asks for: that costs less. The shards of list
// have all sockets again. For TCP the programs stay: they see to connections whose handshake is under way when
// a listener is closed, and a connection is rare enough.
func (st *steering) rest(list []*worker) error {
	if st.by != "flow" && len(list) > 1 {
		return nil
	}
	var errs []error
	for i, sockets := range udpSockets(list)[:len(st.udp)] {
		errs = append(errs, st.udp[i].Detach(sockets[0].FD))
	}
	st.udp = nil
	return errors.Join(errs...)
}

// close lets go of the programs.
func (st *steering) close() {
	for _, p := range append(st.udp, st.tcp...) {
		p.Close()
	}
	st.udp, st.tcp = nil, nil
}

// udpSockets are the sockets of the shards at each listen address.
func udpSockets(list []*worker) [][]ebpf.Socket {
	return socketsOf(list, func(w *worker, i int) int { return w.opt.Ports[i].FD() })
}

func tcpSockets(list []*worker) [][]ebpf.Socket {
	return socketsOf(list, func(w *worker, i int) int { return w.opt.Listeners[i].FD() })
}

// socketsOf are the sockets of the shards at each listen address, which has one listener.
func socketsOf(list []*worker, fd func(w *worker, i int) int) [][]ebpf.Socket {
	out := make([][]ebpf.Socket, len(list[0].opt.Listeners))
	for i := range out {
		for _, w := range list {
			out[i] = append(out[i], ebpf.Socket{FD: fd(w, i), CPU: w.seats.wanted().CPU})
		}
	}
	return out
}
