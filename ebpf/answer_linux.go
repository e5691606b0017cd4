package ebpf

import "fmt"

// Key returns under what a is filed.
func (p *Program) Key(a *Answer) Key { return p.keys.key(a.Name, a.Type, a.bits()) }

// Publish puts answers into the table, where they replace what is filed under the same keys; n counts them. Those that
// do not fit, and those for which nothing colder can make room, are left out, as are those whose records the kernel does
// not take: err says why, and the others are published. generation is what Generation returned before the answers were
// looked up: if there was a flush since then, they are not given. now is the second on the clock of Options.Epoch.
func (p *Program) Publish(generation, now uint32, list []Answer) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	refused := 0
	for i := range list {
		a := &list[i]
		if !a.Fits() {
			continue
		}
		if p.number++; uint32(p.number) == 0 {
			p.number++
		}
		e := a.entry(p.number, generation)
		e.Key, e.Used = uint64(p.Key(a)), now
		at := p.table.place(e.Key, p.generation, now)
		if at < 0 {
			continue
		}
		if number, beside := e.body(); beside {
			b := a.body(number)
			if cause := p.objs.Bodies.Put(number, &b); cause != nil {
				refused++
				err = fmt.Errorf("publish hot answers: %d of %d refused: %w", refused, len(list), cause)
				continue
			}
		}
		p.table.write(at, &e)
		n++
	}
	return n, err
}

// Holds tells whether the table has a as it was published before, and would give it.
func (p *Program) Holds(a *Answer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.table.find(uint64(p.Key(a)))
	if at < 0 {
		return false
	}
	e := &p.table.slots[at]
	return e.Generation == p.generation && e.Expires == a.Expires
}

// Published returns what the table has for a question; false: nothing.
func (p *Program) Published(q *Question) (Published, bool) {
	if len(q.Name) > MaxName {
		return Published{}, false
	}
	a := Answer{Name: q.Name, Type: q.Type, DO: q.DO, CD: q.CD}
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.table.find(uint64(p.Key(&a)))
	if at < 0 {
		return Published{}, false
	}
	e := &p.table.slots[at]
	return Published{e.Expires, e.Marks&markOpen != 0, e.Generation == p.generation}, true
}

// Answers returns how many hot answers the table has, those that are not given any more included.
func (p *Program) Answers() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.table.used
}

// Room returns how many more answers the table takes before others that are given have to make room.
func (p *Program) Room() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.table.room()
}

// Generation returns the generation of the answers that are given now.
func (p *Program) Generation() uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.generation
}

// Flush begins a new generation: from now on no answer is given that was published before. It is one write,
// and it removes nothing.
func (p *Program) Flush() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.generation++
	p.table.flush(p.generation)
	return p.objs.Generation.Set(p.generation)
}
