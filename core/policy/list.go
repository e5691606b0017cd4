package policy

// link joins one element of an array to its neighbours in a list. Elements have the numbers 1, 2, …; 0
// stands for none, so that fresh memory needs no setting up and untouched pages stay unmapped.
type link struct{ next, prev uint32 }

// list is a doubly linked list of elements of one array, whose links lie beside it. The zero value is empty.
// An element is in one list at most for each array of links.
type list struct{ first, last uint32 }

// push appends element i, which must be in no list.
func (l *list) push(links []link, i uint32) {
	links[i] = link{prev: l.last}
	if l.last != 0 {
		links[l.last].next = i
	} else {
		l.first = i
	}
	l.last = i
}

// remove takes out element i, which must be in this list.
func (l *list) remove(links []link, i uint32) {
	next, prev := links[i].next, links[i].prev
	if prev != 0 {
		links[prev].next = next
	} else {
		l.first = next
	}
	if next != 0 {
		links[next].prev = prev
	} else {
		l.last = prev
	}
}
