package ebpf

// By is how a Steering chooses.
type By uint32

// The ways of choosing.
const (
	ByFlow By = iota // a hash of the client's and the server's address and port: what the kernel does by itself
	ByCPU            // the CPU that has received the packet
	ByName           // the qname, so that each name has one owner; for UDP
)

// Socket is one that a Steering may choose.
type Socket struct {
	FD  int
	CPU int // it gets what this CPU has received, with ByCPU; below 0: none in particular
}

// maxCPUs bounds the numbers of CPUs, as the kernel can be built (CONFIG_NR_CPUS). c/steer.c has it too.
const maxCPUs = 8192

// shardsOfCPUs returns which of the sockets gets what a CPU has received. What came to a CPU without a socket is spread.
func shardsOfCPUs(sockets []Socket) (table [maxCPUs]uint16) {
	for cpu := range table {
		table[cpu] = uint16(cpu % len(sockets))
	}
	for i, s := range sockets {
		if s.CPU >= 0 && s.CPU < maxCPUs {
			table[s.CPU] = uint16(i)
		}
	}
	return table
}
