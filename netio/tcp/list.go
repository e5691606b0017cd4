package tcp

// list is a queue of connections in the order in which they last made progress,
// the longest waiting first. Every open connection is on exactly one list.
type list struct{ head, tail *conn }

func (l *list) push(c *conn) {
	c.on, c.prev, c.next = l, l.tail, nil
	if l.tail != nil {
		l.tail.next = c
	} else {
		l.head = c
	}
	l.tail = c
}

func (l *list) remove(c *conn) {
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		l.head = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	} else {
		l.tail = c.prev
	}
	c.on, c.prev, c.next = nil, nil, nil
}
