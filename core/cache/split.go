package cache

// grow splits one bucket if the index is loaded enough and there is memory for a further one.
func (x *index) grow() {
	if x.entries*loadDenominator <= x.buckets*loadNumerator {
		return
	}
	n := x.buckets
	if int(n>>x.pageShift) == len(x.pages) {
		first, ok := x.takePage(indexReserve)
		if !ok {
			return
		}
		x.pages = append(x.pages, first)
	}
	if n > x.mask {
		x.mask = x.mask<<1 | 1
	}
	from := n & (x.mask >> 1)
	x.buckets++
	x.split(x.lineOf(from), x.lineOf(n))
}

// lineOf returns the number of the first line of a bucket.
func (x *index) lineOf(bucket uint32) uint32 {
	return x.pages[bucket>>x.pageShift] + bucket&(1<<x.pageShift-1)
}

// split divides the slots of the bucket that starts at line from between that and line to.
func (x *index) split(from, to uint32) {
	var all [maxLines * slotsPerLine]uint64
	count := 0
	for n := from; ; {
		l := x.at(n)
		for i := range slotsPerLine {
			if s := l.slot(i); slotLocation(s) != emptySlot {
				all[count] = s
				count++
			}
		}
		next := l.next()
		if n != from {
			x.returnLine(n)
		}
		if n = next; n == 0 {
			break
		}
	}
	*x.at(from), *x.at(to) = line{}, line{}

	// Entries before ghosts, which get the room that is left. The two buckets need no more overflow
	// lines than the one had, so that those just returned suffice.
	for _, s := range all[:count] {
		if live(s) {
			x.file(x.bucket(slotHash(s)), s)
		}
	}
	for _, s := range all[:count] {
		if !live(s) {
			x.haunt(x.bucket(slotHash(s)), s)
		}
	}
}

// file puts the slot of an entry at the end of a bucket that has no ghosts.
func (x *index) file(n uint32, s uint64) {
	for x.at(n).next() != 0 {
		n = x.at(n).next()
	}
	l := x.at(n)
	for i := range slotsPerLine {
		if l.slot(i) == emptySlot {
			l.setSlot(i, s)
			return
		}
	}
	o := x.takeLine()
	l.setNext(o)
	x.at(o).setSlot(0, s)
}

// haunt puts the slot of a ghost into a bucket if its first line has room.
func (x *index) haunt(n uint32, s uint64) {
	l := x.at(n)
	for i := range slotsPerLine {
		if l.slot(i) == emptySlot {
			l.setSlot(i, s)
			return
		}
	}
}
