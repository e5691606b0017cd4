package hot

import (
	"fmt"
	"slices"

	"heimdall/ebpf"
)

// Snapshot is what the program says of itself at one time. The zero value is that of none.
type Snapshot struct {
	Interfaces []Interface // with the program
	Exits      ebpf.Stats
	Clients    ebpf.ClientTable
	Answers    int    // in the table, expired ones included
	TableBytes uint64 // of kernel memory
	Generation uint32 // of the answers: another one after a flush
	Stale      bool   // the kernel does not tell: this is what it told last
}

// Interface is a network interface with the program.
type Interface struct {
	Name string
	Mode ebpf.Mode // Native or Generic
	Lost bool      // the program is not there any more
}

// Snapshot reads what the program has counted. It is empty if there is no program. If the kernel does not tell, which is logged,
// it is the one before, and stale: counters that read as zero would seem to rise by all they are when it tells again.
func (t *Tier) Snapshot() (s Snapshot) {
	if t == nil {
		return s
	}
	t.telling.Lock()
	defer t.telling.Unlock()
	err := t.use(func(p *ebpf.Program) (err error) {
		if s.Exits, err = p.Stats(); err != nil {
			return err
		}
		for _, c := range t.cards {
			s.Interfaces = append(s.Interfaces, Interface{c.Name, c.mode, slices.Contains(t.lost, c.Index)})
		}
		s.Clients, s.Answers, s.TableBytes, s.Generation = p.ClientTable(), p.Answers(), p.TableBytes(), p.Generation()
		return nil
	})
	return t.told(s, err)
}

// told keeps a snapshot, or returns the one before if it could not be taken. t.telling is held.
func (t *Tier) told(s Snapshot, err error) Snapshot {
	if err != nil {
		t.o.Log.Error("the XDP program's counters cannot be read", "error", err)
		s = t.last
		s.Stale = true
		return s
	}
	t.last = s
	return s
}

// Queue is an AF_XDP queue as operators see it.
type Queue struct {
	Interface string
	Number    int // of the receive queue
	Shard     int
	Port      int // place among the ports that OpenQueues has given the shard
	ZeroCopy  bool
}

// Queues lists the AF_XDP queues; none: all queries come through the kernel's sockets.
func (t *Tier) Queues() (list []Queue) {
	if t == nil || t.released.Load() {
		return nil
	}
	for _, c := range t.cards {
		for _, q := range c.queues {
			list = append(list, Queue{c.Name, q.number, q.shard, q.index, q.ZeroCopy()})
		}
	}
	return list
}

// Backend tells operators how queries come.
func (t *Tier) Backend() string {
	if len(t.Queues()) > 0 {
		return "AF_XDP and kernel sockets"
	}
	return "kernel sockets"
}

// Sockets tells operators how many AF_XDP sockets each interface has, such as "eth0: 4, with a copy".
func (t *Tier) Sockets() (list []string) {
	all, zeroCopy := map[string]int{}, map[string]int{}
	var names []string
	for _, q := range t.Queues() {
		if all[q.Interface]++; all[q.Interface] == 1 {
			names = append(names, q.Interface)
		}
		if q.ZeroCopy {
			zeroCopy[q.Interface]++
		}
	}
	for _, name := range names {
		how := "with a copy"
		if n := zeroCopy[name]; n > 0 {
			how = fmt.Sprintf("%d of them without a copy", n)
		}
		list = append(list, fmt.Sprintf("%s: %d, %s", name, all[name], how))
	}
	return list
}
