package supervisor

import (
	"fmt"

	"heimdall/shard/process"
)

// raiseDescriptors raises the limit of open files to what the configuration may need, where the process may, and warns if
// it does not suffice.
func (s *Supervisor) raiseDescriptors() {
	c := s.config()
	need := uint64(c.Descriptors(len(s.plan.Shards)))
	limit, err := process.RaiseFiles(need)
	if err != nil || limit >= need {
		return
	}
	s.warn(fmt.Sprintf("the limit of open files (descriptors) is %d, and %d shards with tcp.max_connections = %d may need %d: TCP clients beyond it will wait "+
		"or be closed; raise it (LimitNOFILE= in a systemd unit, ulimit -n in a shell), or lower tcp.max_connections",
		limit, len(s.plan.Shards), c.TCP.MaxConnections, need), nil)
}
