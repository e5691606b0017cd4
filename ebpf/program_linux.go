package ebpf

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"
)

// Program is the XDP program in the kernel, with its maps. Its methods are safe for concurrent use; each is a
// few system calls at most.
type Program struct {
	keys    *questionKeys
	objs    xdpObjects
	reverse ReversePath

	mu         sync.Mutex
	links      []link.Link
	listens    bool // what follows is what the program knows
	listen4    xdpEndpoints
	listen6    xdpEndpoints
	attached   []int // interfaces
	arrivals   map[xdpArrival]uint32
	number     uint64 // of the answer published last
	generation uint32 // of the answers that are given
	table      *table
	interfaces []xdpInterface // of which the program knows
	enabled    bool           // hot answers, by EnableAnswers
	clients    ClientTable

	changing sync.Mutex    // of the table of clients, which may take seconds
	inner    *ebpf.MapSpec // of such a table
	which    uint32        // of the two tables counts
	inUse    *ebpf.Map     // that table; nil: it is empty
	inForce  Clients       // what it was made of
	pending  *Clients      // what could not be put into force

	reading  sync.Mutex // of what follows
	nominees *ringbuf.Reader
	record   ringbuf.Record
}

// Load loads the program into the kernel. It does nothing until it is attached and has endpoints.
func Load(o Options) (*Program, error) {
	return loadFor(o, !errors.Is(features.HaveMapType(ebpf.XSKMap), ErrNotSupported))
}

// loadFor loads the program into a kernel with or without AF_XDP.
func loadFor(o Options, sockets bool) (*Program, error) {
	spec, err := loadXdp()
	if err != nil {
		return nil, fmt.Errorf("read the XDP program: %w", err)
	}
	if !sockets {
		// A kernel without CONFIG_XDP_SOCKETS makes no such map, but all else works there. The program may redirect to
		// a map of devices as well, and does not while there are no sockets.
		spec.Maps[xdpMapSockets].Type = ebpf.DevMap
	}
	if takesFrags() {
		spec.Programs[xdpProgHeimdall].Flags |= unix.BPF_F_XDP_HAS_FRAGS
	}
	p := &Program{keys: newQuestionKeys(o.Seed), generation: 1, inner: spec.Maps[xdpMapClients].InnerMap, reverse: o.Reverse}
	if err := prepare(spec, o, p.keys); err != nil {
		return nil, err
	}
	if err := spec.LoadAndAssign(&p.objs, nil); err != nil {
		return nil, explain("load the XDP program", err)
	}
	if err := p.openNominees(); err != nil {
		p.objs.Close()
		return nil, err
	}
	if p.table, err = mapTable(p.objs.Answers); err != nil {
		p.nominees.Close()
		p.objs.Close()
		return nil, err
	}
	p.table.limit = o.Entries
	p.table.flush(p.generation)
	p.table.freed = func(number uint64) { p.objs.Bodies.Delete(number) }
	if err := errors.Join(p.objs.Generation.Set(p.generation), p.SetPayload(1232), p.EnableAnswers(o.Entries > 0)); err != nil {
		p.Close()
		return nil, explain("set up the XDP program", err)
	}
	return p, nil
}

// onKernelClock returns an instant in nanoseconds of CLOCK_MONOTONIC. Of a few readings of both clocks it takes the
// one that shows the earliest: what lies between them makes it later.
func onKernelClock(at time.Time) (uint64, error) {
	earliest := uint64(math.MaxUint64)
	for range 8 {
		var now unix.Timespec
		ago := time.Since(at)
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
			return 0, err
		}
		earliest = min(earliest, uint64(now.Nano()-int64(ago)))
	}
	return earliest, nil
}

// prepare writes what is fixed into the specification.
func prepare(spec *ebpf.CollectionSpec, o Options, keys *questionKeys) error {
	epoch, err := onKernelClock(o.Epoch)
	if err != nil {
		return fmt.Errorf("read the clock: %w", err)
	}
	// Four fifths full at most: then nearly every answer finds one of its four places free.
	places := uint32(1) << bits.Len(uint(max(o.Entries, 1)*5/4))
	spec.Maps[xdpMapAnswers].MaxEntries = places
	spec.Maps[xdpMapBodies].MaxEntries = uint32(o.Entries) + 1 // for a moment an answer has its old body and its new one
	weak := uint32(0)
	if o.barriers || reorders {
		weak = 1
	}
	v := spec.Variables
	if err := errors.Join(v[xdpVarWeaklyOrdered].Set(weak), v[xdpVarReversePath].Set(uint32(o.Reverse)), v[xdpVarWordKeys].Set(keys.words), v[xdpVarEndKeys].Set(keys.ends), v[xdpVarEpoch].Set(epoch), v[xdpVarPlaces].Set(places-1)); err != nil {
		return fmt.Errorf("prepare the XDP program: %w", err)
	}
	return nil
}

// Close detaches the program and gives its memory back. Before that the program loses its endpoints: where a driver does not let
// go of it (virtio_net before Linux 6.3, while the MTU is beyond one of its buffers), it lets everything pass.
func (p *Program) Close() error {
	p.SetEndpoints(nil)
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, l := range p.links {
		errs = append(errs, l.Close())
	}
	p.links = nil
	p.inUse.Close()
	return errors.Join(append(errs, p.nominees.Close(), p.table.close(), p.objs.Close())...)
}

// SetPayload sets the largest response in octets, which is also told in each OPT. Answers that were
// published stay: flush if they depend on it.
func (p *Program) SetPayload(octets uint16) error { return p.objs.UdpPayload.Set(uint32(octets)) }

// EnableAnswers turns hot answers on and off.
func (p *Program) EnableAnswers(on bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.enabled = on
	return p.tellAnswers()
}

// withhold keeps hot answers back, however they are turned on.
func (p *Program) withhold(on bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clients.Withheld = on
	return p.tellAnswers()
}

// tellAnswers tells the program whether it gives hot answers. Call it with p.mu locked.
func (p *Program) tellAnswers() error {
	v := uint32(0)
	if p.enabled && !p.clients.Withheld {
		v = 1
	}
	return p.objs.AnswersOn.Set(v)
}
