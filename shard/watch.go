package shard

import "heimdall/netio"

// watch is what the loop knows of one port: whether to look at it, and who reports arrivals.
//
// The loop receives from a port while it is ready. A port becomes ready by the poller's report, which each round asks for
// anyway, and ceases to be by a Recv that finds nothing. So an idle port costs no system call beside a busy one.
//
// A port that stays ready is taken out of the poller until nothing is left in it. The kernel reports to the poller not only
// each arrival, but also each datagram that has been sent, which costs a tenth of sending it.
type watch struct {
	ready  bool
	off    bool // not in the poller
	streak int  // rounds in a row in which something came
}

// busyRounds is how many rounds in a row have to find datagrams until a port leaves the poller. Leaving and coming
// back cost two system calls, about a microsecond.
const busyRounds = 16

// watchPort puts a port into the poller.
func (s *Shard) watchPort(i int) error {
	return s.poller.Add(s.opt.Ports[i].FD(), netio.Readable, netio.Token(netio.KindUDP, uint32(i)))
}

// received notes what a look at port i has found.
func (s *Shard) received(i, n int) {
	w := &s.watches[i]
	if n > 0 {
		w.streak++
		if w.streak == busyRounds && !w.off {
			w.off = s.poller.Del(s.opt.Ports[i].FD()) == nil
		}
		return
	}
	w.streak = 0
	if w.off && s.watchPort(i) != nil {
		return // without memory for it: the port is looked at in each round
	}
	w.off, w.ready = false, false
}
