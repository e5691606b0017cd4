package ebpf

import (
	"errors"
	"fmt"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// Steering is the program that picks the socket of an SO_REUSEPORT group. Not safe for concurrent use.
type Steering struct {
	objs    steerObjects
	sockets []uint64 // cookies of those in the map, by which the kernel tells sockets apart
}

// AttachSteering makes the kernel choose among sockets, which share one UDP or TCP address. ByName, the seed
// decides which names go to which; queries whose name cannot be read are spread by their flow, and so are packets that
// came to a CPU beyond maxCPUs. Other sockets of the group get nothing. It ends with
// Detach, or when the last socket of the group is closed. Linux 5.14.
//
// Of a TCP listener that is closed, the connections that nobody has accepted go to another one of the sockets, and
// so do those whose handshake is under way.
func AttachSteering(by By, seed Seed, sockets []Socket) (*Steering, error) {
	if len(sockets) == 0 {
		return nil, errors.New("steer: no sockets")
	}
	s, err := loadSteering(by, seed, nil)
	if err != nil {
		return nil, err
	}
	err = s.attach(sockets)
	for end := time.Now().Add(leaveMap); errors.Is(err, unix.EBUSY) && time.Now().Before(end); err = s.attach(sockets) {
		s.empty()
		s.sockets = nil
		time.Sleep(time.Millisecond)
	}
	if err != nil {
		s.empty()
		s.objs.Close()
		return nil, err
	}
	return s, nil
}

// leaveMap bounds the wait until the kernel has taken sockets out of the map of a program that was detached: it takes some
// milliseconds.
const leaveMap = 2 * time.Second

// DetachSteering takes off the program that a process which is gone has left on the group that fd is of, if there is one.
func DetachSteering(fd int) error {
	err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_REUSEPORT_BPF, 0)
	if err != nil && err != unix.ENOENT {
		return fmt.Errorf("detach the steering program: %w", err)
	}
	return nil
}

// attach fills the map and has the group use the program.
func (s *Steering) attach(sockets []Socket) error {
	if err := s.Update(sockets); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(sockets[0].FD, unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_EBPF, s.objs.Steer.FD()); err != nil {
		return explain("attach the steering program", err)
	}
	return nil
}

// AdoptSteering is AttachSteering for a group that another process steers. Its map of sockets, which the descriptor stands
// for, goes on to be used, so that no packet misses the sockets that it holds; this program takes the other's place in one step.
// The other process then only closes its Steering. The descriptor stays the caller's. Where the map does not fit this
// program, its sockets are taken out, and packets are spread for a moment.
func AdoptSteering(by By, seed Seed, sockets []Socket, fd int) (*Steering, error) {
	if len(sockets) == 0 {
		return nil, errors.New("steer: no sockets")
	}
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("adopt the steering map: %w", err)
	}
	held, err := ebpf.NewMapFromFD(own) // which owns it, whatever comes
	if err != nil {
		return nil, fmt.Errorf("adopt the steering map: %w", err)
	}
	defer held.Close()
	s, err := loadSteering(by, seed, held)
	if err != nil {
		for i := range held.MaxEntries() {
			held.Delete(i)
		}
		return AttachSteering(by, seed, sockets)
	}
	if err := s.Resume(sockets); err != nil {
		s.objs.Close()
		return nil, err
	}
	return s, nil
}

// Resume attaches the program again, to a map that another process may have changed since: one that has adopted it.
func (s *Steering) Resume(sockets []Socket) error {
	s.sockets = s.sockets[:0]
	for i := range s.objs.Sockets.MaxEntries() {
		var cookie uint64 // 0: no socket
		s.objs.Sockets.Lookup(i, &cookie)
		s.sockets = append(s.sockets, cookie)
	}
	return s.attach(sockets)
}

// FD is the descriptor of the map of sockets, for AdoptSteering in another process.
func (s *Steering) FD() int { return s.objs.Sockets.FD() }

// loadSteering loads the program, with a map of sockets of its own or, if that is not nil, another one.
func loadSteering(by By, seed Seed, held *ebpf.Map) (*Steering, error) {
	spec, err := loadSteer()
	if err != nil {
		return nil, fmt.Errorf("read the steering program: %w", err)
	}
	keys, v := newOwnerKeys(seed), spec.Variables
	if err := errors.Join(v[steerVarBy].Set(uint32(by)), v[steerVarWordKeys].Set(keys.words), v[steerVarFirstKey].Set(keys.first)); err != nil {
		return nil, fmt.Errorf("prepare the steering program: %w", err)
	}
	s, o := new(Steering), ebpf.CollectionOptions{}
	if held != nil {
		o.MapReplacements = map[string]*ebpf.Map{steerMapSockets: held}
	}
	if err := spec.LoadAndAssign(&s.objs, &o); err != nil {
		return nil, explain("load the steering program", err)
	}
	return s, nil
}

// Update changes the sockets: more of them, or fewer, or others in their places, or other CPUs. Nothing is lost by it,
// as what has no owner meanwhile goes to any socket of the group: those that are no longer chosen are to be read
// until Settle has returned and they are empty.
func (s *Steering) Update(sockets []Socket) error {
	if len(sockets) == 0 {
		return errors.New("steer: no sockets")
	}
	next := make([]uint64, len(sockets))
	for i, to := range sockets {
		var err error
		if next[i], err = unix.GetsockoptUint64(to.FD, unix.SOL_SOCKET, unix.SO_COOKIE); err != nil {
			return fmt.Errorf("steer to socket %d: read its cookie: %w", i, err)
		}
	}
	if both := min(len(sockets), len(s.sockets)); both > 0 {
		if err := s.spread(sockets[:both]); err != nil {
			return err
		}
	}
	// A socket can have one place only: those that change are emptied before any is filled.
	for i, old := range s.sockets {
		if i >= len(next) || next[i] != old {
			s.objs.Sockets.Delete(uint32(i)) // it may be closed, and gone from the map already
		}
	}
	for i, to := range sockets {
		if i < len(s.sockets) && s.sockets[i] == next[i] {
			continue
		}
		if err := s.objs.Sockets.Put(uint32(i), uint64(to.FD)); err != nil {
			return fmt.Errorf("steer to socket %d: %w", i, err)
		}
	}
	s.sockets = next
	return s.spread(sockets)
}

// spread says how many of the sockets in the map are chosen, and which for each CPU.
func (s *Steering) spread(sockets []Socket) error {
	if err := errors.Join(s.objs.ShardOf.Set(shardsOfCPUs(sockets)), s.objs.Shards.Set(uint32(len(sockets)))); err != nil {
		return fmt.Errorf("steer to %d sockets: %w", len(sockets), err)
	}
	return nil
}

// Detach leaves the choice to the kernel again: among all sockets of the group that fd is of, by their flow.
func (s *Steering) Detach(fd int) error {
	defer s.Close()
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_REUSEPORT_BPF, 0); err != nil {
		return fmt.Errorf("detach the steering program: %w", err)
	}
	s.empty()
	return nil
}

// empty takes all sockets out of the map: they can be in one map only, and a map that is closed ends some time later.
func (s *Steering) empty() {
	for i := range s.objs.Sockets.MaxEntries() {
		s.objs.Sockets.Delete(i)
	}
}

// Close lets go of the program. The group keeps it as long as it has sockets.
func (s *Steering) Close() error { return s.objs.Close() }

// slowestPacket is a guess at how long a packet takes from the choice of its socket to the socket's queue, for kernels
// that do not tell. It takes microseconds, unless a virtual CPU is stopped meanwhile.
const slowestPacket = 100 * time.Millisecond

// Settle returns when every packet whose socket was chosen before the call is in that socket's queue. It takes some
// 10 ms.
func Settle() {
	// Between choice and queue the kernel is in one RCU read-side critical section: this waits for the end of all of
	// them (membarrier(2)). A kernel with CPUs that have no tick (nohz_full) refuses.
	const cmdGlobal = 1
	if _, _, e := unix.Syscall(unix.SYS_MEMBARRIER, cmdGlobal, 0, 0); e != 0 {
		time.Sleep(slowestPacket)
	}
}
