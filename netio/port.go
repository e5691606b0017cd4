package netio

// Datagram is one message and where it came from or goes to.
type Datagram struct {
	// Data is the payload. Recv lends it until the next Recv on the same port;
	// for Send it may lie in any memory of the caller, which must not move or be
	// unmapped before Send returns.
	Data []byte
	// Peer is the sender, or the receiver to be.
	Peer Endpoint
	// Age is how long the datagram waited in the kernel's receive queue, in
	// nanoseconds. Zero when unknown; see Port.MeasureAge.
	Age int64
}

// Port is a source and sink of datagrams: a kernel socket, an AF_XDP ring, a
// pair of slices in a test. Not safe for concurrent use; owned by one shard.
type Port interface {
	// Recv fills in with waiting datagrams, at most len(in), without blocking, and
	// returns how many. It sets Data, Peer and Age of each. Data is valid until
	// the next Recv.
	Recv(in []Datagram) int

	// Send sends all of out without blocking and returns how many the kernel
	// took. What cannot be sent is dropped and counted, never queued.
	Send(out []Datagram) int

	// FD is the descriptor that polls readable when Recv has work.
	FD() int

	// MeasureAge turns Datagram.Age on or off. It costs some time for each
	// datagram, so a shard asks for it only when it suspects overload. Datagrams
	// that were queued before it was turned on look as if they had just come.
	MeasureAge(on bool)

	// Stats returns the counters since the port was opened. It may cost a system call.
	Stats() PortStats

	// Close closes the descriptor. The port must not be used afterwards.
	Close() error
}

// PortStats are the counters of one port, in datagrams.
type PortStats struct {
	Received   uint64 // handed to the shard
	Sent       uint64 // taken by the kernel
	SendDrops  uint64 // refused by the kernel: full queue, no route, not permitted, too large
	QueueDrops uint64 // lost because the receive queue was full
	Oversize   uint64 // longer than a receive buffer; dropped
	SockErrors uint64 // pending errors (ICMP) that a call met and ignored
	Malformed  uint64 // frames that are not a datagram to a listen address; dropped
}

// Add adds o to s, for totals over several ports.
func (s *PortStats) Add(o PortStats) {
	s.Received += o.Received
	s.Sent += o.Sent
	s.SendDrops += o.SendDrops
	s.QueueDrops += o.QueueDrops
	s.Oversize += o.Oversize
	s.SockErrors += o.SockErrors
	s.Malformed += o.Malformed
}
