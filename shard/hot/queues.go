package hot

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"time"

	"heimdall/affinity"
	"heimdall/ebpf"
	"heimdall/netio"
	"heimdall/netio/xsk"
	"heimdall/shard/seed"
)

// QueueOptions say how AF_XDP sockets are opened.
type QueueOptions struct {
	BusyPoll  time.Duration // as in xsk.Options
	Batch     int           // likewise
	HugePages bool          // for their memory
}

// Place is where a shard runs, and the kernel sockets it has: one for each of Options.Listen.
type Place struct {
	CPU   int // affinity.AnyCPU: none in particular
	Node  int
	Ports []netio.Port
}

// queue is the AF_XDP socket of one receive queue with its memory, which is given back at Close.
type queue struct {
	*xsk.Port
	memory []byte
	number int // of the receive queue
	shard  int
	index  int // among the ports of the shard that OpenQueues returns
}

// Close implements netio.Port.
func (q *queue) Close() error {
	err := q.Port.Close()
	affinity.Unmap(q.memory)
	q.memory = nil
	return err
}

// Retire is xsk.Port.Retire.
func (q *queue) Retire() netio.Port {
	left := q.Port.Retire()
	affinity.Unmap(q.memory)
	q.memory = nil
	return left
}

// Native tells whether the program runs in the driver on all interfaces.
func (t *Tier) Native() bool {
	return t != nil && !slices.ContainsFunc(t.cards, func(c card) bool { return c.mode != ebpf.Native })
}

// OpenQueues opens an AF_XDP socket for each receive queue of the interfaces that has a transmit queue too. It returns each
// shard's ports, which their owner closes. Call it before Start. On an error no queue is open.
func (t *Tier) OpenQueues(o QueueOptions, shards []Place) (ports [][]netio.Port, err error) {
	ports = make([][]netio.Port, len(shards))
	for i := range t.cards {
		if err = t.openCard(&t.cards[i], o, shards, ports); err != nil {
			break
		}
	}
	if err == nil {
		return ports, nil
	}
	for i := range t.cards {
		for _, q := range t.cards[i].queues {
			q.Close()
		}
		t.cards[i].queues = nil
	}
	return nil, err
}

// openCard opens the queues of one interface, and adds each to the ports of its shard.
func (t *Tier) openCard(c *card, o QueueOptions, shards []Place, ports [][]netio.Port) error {
	receive, transmit, err := queuesOf(c.Name)
	if err != nil {
		return err
	}
	// A socket sends on the transmit queue of its own number. Beyond those that the interface uses there are none, or, with
	// virtio_net, the ones that each CPU has to itself and without a lock for what the program sends.
	if transmit < receive {
		t.o.Warn(fmt.Sprintf("AF_XDP: %s has %d receive queues and %d transmit queues, kernel sockets take the queries of the receive queues from %d on",
			c.Name, receive, transmit, transmit), nil)
	}
	// A reload may set limits: then the program sends, though it has no answers.
	if c.mode == ebpf.Native && ebpf.LosesZeroCopy(c.Name) {
		t.o.Log.Info("AF_XDP copies, as this driver would lose what the XDP program may send from its memory", "interface", c.Name)
	}
	c.receive = receive
	for number := range min(receive, transmit) {
		owner := ownerOf(c.Name, number, shards)
		q, err := t.openQueue(c, number, o, &shards[owner])
		if err != nil {
			return err
		}
		for _, text := range q.Warnings() {
			t.o.Warn(text, nil)
		}
		q.shard, q.index = owner, len(ports[owner])
		ports[owner] = append(ports[owner], q)
		c.queues = append(c.queues, q)
	}
	return nil
}

// letGo bounds the wait for a queue that another process has closed. It ends in a worker of the kernel, which waits for others that
// change interfaces.
const letGo = 10 * time.Second

// openQueue opens the socket of one receive queue for a shard.
func (t *Tier) openQueue(c *card, number int, o QueueOptions, to *Place) (*queue, error) {
	memory, err := affinity.MapLocal(to.Node, xsk.MemorySize, o.HugePages)
	if err != nil {
		return nil, err
	}
	var port *xsk.Port
	// There, for the kernel makes the rings on the node of the CPU that asks for them.
	affinity.On(to.CPU, func() {
		options := xsk.Options{
			Interface: c.Index, Queue: number, MTU: c.MTU, Memory: memory, Copy: c.mode != ebpf.Native || ebpf.LosesZeroCopy(c.Name),
			BusyPoll: o.BusyPoll, Batch: o.Batch, Ways: ways(t.o.Listen, to.Ports), Seed: seed.Uint64(),
		}
		port, err = xsk.Open(options)
		// The kernel takes a moment to let go of a queue that another process has closed.
		for end := time.Now().Add(letGo); c.inherited && errors.Is(err, syscall.EBUSY) && time.Now().Before(end); port, err = xsk.Open(options) {
			time.Sleep(10 * time.Millisecond)
		}
	})
	if err != nil {
		affinity.Unmap(memory)
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	return &queue{Port: port, memory: memory, number: number}, nil
}

func ways(listen []netip.AddrPort, ports []netio.Port) (list []xsk.Way) {
	for i, addr := range listen {
		list = append(list, xsk.Way{Addr: addr, Port: ports[i]})
	}
	return list
}

// ownerOf returns the shard that gets a receive queue of a network interface: the one on the CPU that its interrupt
// goes to, so that a packet stays on one CPU, or the shards in turn where that is not known, those on the card's NUMA node first.
func ownerOf(name string, number int, shards []Place) int {
	if cpu, ok := queueCPU("/", name, number); ok && cpu != affinity.AnyCPU {
		if i := slices.IndexFunc(shards, func(p Place) bool { return p.CPU == cpu }); i >= 0 {
			return i
		}
	}
	var nodes []int
	for _, p := range shards {
		nodes = append(nodes, p.Node)
	}
	return affinity.Owner(os.DirFS("/"), name, number, nodes)
}

// redirect has the program give the queries to the queues. The shards run.
func (t *Tier) redirect() {
	var errs []error
	for _, c := range t.cards {
		if len(c.queues) == 0 {
			continue
		}
		var fds []int
		for _, q := range c.queues {
			fds = append(fds, q.FD())
		}
		errs = append(errs, t.program.SetSockets(c.Index, fds))
	}
	if err := errors.Join(errs...); err != nil {
		t.o.Warn("not all AF_XDP sockets are in use, kernel sockets take what they do not", err)
	}
}
