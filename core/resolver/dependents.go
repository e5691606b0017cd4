package resolver

import "heimdall/core/slots"

// dependents lead from a sub-task to the tasks that wait for it, as singly linked lists in one table.
type dependents struct{ table slots.Table[dependent] }

type dependent struct {
	parent int32
	gen    uint32
	next   int32 // -1: none
}

func newDependents(n int) dependents { return dependents{slots.New[dependent](n)} }

func (p *dependents) at(i int32) *dependent { return p.table.At(uint32(i)) }

// add puts a parent at the head of the list; false if the table is full.
func (p *dependents) add(head *int32, parent int32, gen uint32) bool {
	i, ok := p.table.Take()
	if !ok {
		return false
	}
	*p.table.At(i) = dependent{parent, gen, *head}
	*head = int32(i)
	return true
}

// drain appends the parents of a list to dst and gives their slots back.
func (p *dependents) drain(dst []dependent, head *int32) []dependent {
	for i := *head; i >= 0; i = p.at(i).next {
		dst = append(dst, *p.at(i))
		p.table.Put(uint32(i))
	}
	*head = -1
	return dst
}
