package main

import (
	"math"
	"time"

	"golang.org/x/sys/unix"

	"heimdall/affinity"
)

// rest lets a thread that has nothing to do leave its CPU to others. Where the generator has to share it with the
// servers that a resolver asks, a busy loop would get its turns milliseconds late, or they theirs.
type rest struct {
	files []unix.PollFd
}

// newRest returns the rest of a thread with these streams, which are over UDP.
func newRest(streams []*stream) *rest {
	r := &rest{}
	for _, s := range streams {
		for _, l := range s.lines {
			r.files = append(r.files, unix.PollFd{Fd: int32(l.conn.(*udpConn).fd), Events: unix.POLLIN})
		}
	}
	return r
}

// prepare has the kernel wake the calling thread on time, and before others that want its CPU. Kernels that cannot do
// that make the queries a little less even.
func (r *rest) prepare() {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // else a wait is up to 50 us longer
	_ = affinity.ShortSlice(100 * time.Microsecond)
}

// take waits until a reply has come, or a query of t is due.
func (r *rest) take(t *thread) {
	at := int64(math.MaxInt64)
	for _, s := range t.streams {
		if !s.schedule.done() {
			at = min(at, s.schedule.next())
		}
	}
	if pause := at - t.clock(); pause > 0 {
		timeout := unix.NsecToTimespec(pause)
		_, _ = unix.Ppoll(r.files, &timeout, nil) // an error is a short rest
	}
}
