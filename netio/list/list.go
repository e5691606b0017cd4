// Package list is a queue whose elements carry their own links, so that one leaves from the middle at no cost and none
// allocates. container/list allocates each element.
package list

// List has the elements in the order in which they came. The zero value is empty. Not safe for concurrent use.
type List[T any] struct{ first, last *Node[T] }

// Node is what an element carries to be on one List at a time. The zero value is on none.
type Node[T any] struct {
	element    T
	on         *List[T]
	prev, next *Node[T]
}

// First returns the element that has been on the list longest, or the zero T if there is none.
func (l *List[T]) First() T { return l.first.get() }

// Push puts an element, whose node is n, at the end of the list. It must be on none.
func (l *List[T]) Push(n *Node[T], element T) {
	n.element, n.on, n.prev = element, l, l.last
	if l.last != nil {
		l.last.next = n
	} else {
		l.first = n
	}
	l.last = n
}

// On tells whether the element is on the list l.
func (n *Node[T]) On(l *List[T]) bool { return n.on == l }

// Next returns the element behind this one, or the zero T if there is none.
func (n *Node[T]) Next() T { return n.next.get() }

// Remove takes the element off the list that it is on, if it is on any.
func (n *Node[T]) Remove() {
	if n.on == nil {
		return
	}
	if n.prev != nil {
		n.prev.next = n.next
	} else {
		n.on.first = n.next
	}
	if n.next != nil {
		n.next.prev = n.prev
	} else {
		n.on.last = n.prev
	}
	*n = Node[T]{}
}

func (n *Node[T]) get() (element T) {
	if n != nil {
		element = n.element
	}
	return element
}
