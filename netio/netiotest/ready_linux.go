package netiotest

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// readiness is a descriptor that polls readable while it is set.
type readiness struct {
	fd      int
	counter [8]byte // what goes to and comes from the eventfd
}

func (r *readiness) open() error {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return fmt.Errorf("create eventfd: %w", err)
	}
	r.fd = fd
	return nil
}

func (r *readiness) set() {
	r.counter = [8]byte{1} // above zero in either byte order
	unix.Write(r.fd, r.counter[:])
}

func (r *readiness) clear() { unix.Read(r.fd, r.counter[:]) }

func (r *readiness) close() error { return unix.Close(r.fd) }
