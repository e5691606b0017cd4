package supervisor

import (
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// raiseDescriptors raises the limit of open files to what the configuration may need, where the process may, and warns if
// it does not suffice.
func (s *Supervisor) raiseDescriptors() {
	c := s.config()
	need := uint64(c.Descriptors(len(s.plan.Shards)))
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur >= need {
		return
	}
	// Who may not go beyond the hard limit gets that.
	if unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: need, Max: max(need, limit.Max)}) == nil {
		return
	}
	if limit.Cur < limit.Max {
		limit.Cur = limit.Max
		unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	}
	s.warn(fmt.Sprintf("the limit of open files (descriptors) is %d, and %d shards with tcp.max_connections = %d may need %d: TCP clients beyond it will wait "+
		"or be closed; raise it (LimitNOFILE= in a systemd unit, ulimit -n in a shell), or lower tcp.max_connections",
		limit.Cur, len(s.plan.Shards), c.TCP.MaxConnections, need), nil)
}

// warnEvery is how long the log is silent about something that goes on.
const warnEvery = time.Minute

// starved logs that clients could not be accepted for want of descriptors, once in a while. It is called by the shards, on
// their threads, and waits for nobody.
type starved struct {
	next atomic.Int64 // when it may be logged again, in nanoseconds since 1970
	log  func()
}

func (s *starved) tell() {
	now := time.Now().UnixNano()
	next := s.next.Load()
	if now < next || !s.next.CompareAndSwap(next, now+int64(warnEvery)) {
		return
	}
	go s.log()
}

// outOfDescriptors is what the shards call.
func (s *Supervisor) outOfDescriptors() {
	s.log.Warn("a TCP client could not be accepted: too many open files (descriptors). The longest idle one makes room, others wait. " +
		"Raise the limit (LimitNOFILE= in a systemd unit, ulimit -n in a shell), or lower tcp.max_connections. " +
		"heimdallctl shards counts them as drops (descriptors)")
}
