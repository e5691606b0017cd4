package outbound

// list is the streams without queries, the longest idle first.
type list struct{ head, tail *stream }

func (l *list) push(st *stream) {
	st.idle, st.prev, st.next = true, l.tail, nil
	if l.tail != nil {
		l.tail.next = st
	} else {
		l.head = st
	}
	l.tail = st
}

func (l *list) remove(st *stream) {
	if st.prev != nil {
		st.prev.next = st.next
	} else {
		l.head = st.next
	}
	if st.next != nil {
		st.next.prev = st.prev
	} else {
		l.tail = st.prev
	}
	st.idle, st.prev, st.next = false, nil, nil
}
