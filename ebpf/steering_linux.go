package ebpf

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Steering is the program that picks the socket of an SO_REUSEPORT group by the qname. Not safe for concurrent
// use.
type Steering struct {
	objs    steerObjects
	sockets []uint64 // cookies of those in the map, by which the kernel tells sockets apart
}

// AttachSteering gives each name one of the sockets fds, which share one UDP address: number
// Owner(NameHash(seed, name), len(fds)). Queries whose name cannot be read go to any of them. It ends with
// Close, or when the last of the sockets is closed.
func AttachSteering(seed uint64, fds []int) (*Steering, error) {
	if len(fds) == 0 {
		return nil, errors.New("steer by name: no sockets")
	}
	spec, err := loadSteer()
	if err != nil {
		return nil, fmt.Errorf("read the steering program: %w", err)
	}
	if err := spec.Variables[steerVarSeed].Set(seed); err != nil {
		return nil, fmt.Errorf("prepare the steering program: %w", err)
	}
	s := new(Steering)
	if err := spec.LoadAndAssign(&s.objs, nil); err != nil {
		return nil, explain("load the steering program", err)
	}
	if err := s.Update(fds); err != nil {
		s.objs.Close()
		return nil, err
	}
	if err := unix.SetsockoptInt(fds[0], unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_EBPF, s.objs.Steer.FD()); err != nil {
		s.objs.Close()
		return nil, explain("attach the steering program", err)
	}
	return s, nil
}

// Update changes the sockets: more of them, or fewer, or others in their places. No query is lost by it, as
// what has no owner meanwhile goes to any socket of the group.
func (s *Steering) Update(fds []int) error {
	next := make([]uint64, len(fds))
	for i, fd := range fds {
		var err error
		if next[i], err = unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE); err != nil {
			return fmt.Errorf("steer to socket %d: read its cookie: %w", i, err)
		}
	}
	if err := s.objs.Shards.Set(uint32(min(len(fds), len(s.sockets)))); err != nil {
		return fmt.Errorf("steer by name: %w", err)
	}
	// A socket can have one place only: those that change are emptied before any is filled.
	for i, old := range s.sockets {
		if i >= len(next) || next[i] != old {
			s.objs.Sockets.Delete(uint32(i)) // it may be closed, and gone from the map already
		}
	}
	for i, fd := range fds {
		if i < len(s.sockets) && s.sockets[i] == next[i] {
			continue
		}
		if err := s.objs.Sockets.Put(uint32(i), uint64(fd)); err != nil {
			return fmt.Errorf("steer to socket %d: %w", i, err)
		}
	}
	s.sockets = next
	if err := s.objs.Shards.Set(uint32(len(fds))); err != nil {
		return fmt.Errorf("steer by name: %w", err)
	}
	return nil
}

// Close lets go of the program. The group keeps it as long as it has sockets.
func (s *Steering) Close() error { return s.objs.Close() }
