package netiotest

import "heimdall/netio"

// queue is a ring of datagrams that own their data and reuse its memory.
type queue struct {
	slots []netio.Datagram
	head  int // the oldest
	n     int // how many are filled
}

// push copies d behind the youngest, or reports false when there is no room.
func (q *queue) push(d *netio.Datagram) bool {
	if q.n == len(q.slots) {
		return false
	}
	slot := &q.slots[(q.head+q.n)%len(q.slots)]
	slot.Data = append(slot.Data[:0], d.Data...)
	slot.Peer, slot.Age = d.Peer, d.Age
	q.n++
	return true
}

// stale is written over data whose loan has ended.
const stale = 0xdb

// pop moves the oldest datagrams into out and returns how many. Their data is
// copied to lent, after what was lent before has been made unreadable.
func (q *queue) pop(out []netio.Datagram, lent [][]byte) int {
	for i, b := range lent {
		for j := range b {
			b[j] = stale
		}
		lent[i] = b[:0]
	}
	n := min(len(out), q.n)
	for i := range n {
		slot := &q.slots[q.head]
		lent[i] = append(lent[i], slot.Data...)
		out[i] = netio.Datagram{Data: lent[i], Peer: slot.Peer, Age: slot.Age}
		q.head = (q.head + 1) % len(q.slots)
		q.n--
	}
	return n
}
