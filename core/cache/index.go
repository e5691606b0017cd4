package cache

// index finds entries by the low half of their hash. It is a linear hash table (Litwin 1980): it has any
// number of buckets, and grows by one at a time, dividing the entries of one old bucket between that
// and the new one. No insert pays for more than one split, and memory is touched as entries come.
//
// Buckets and overflow lines lie in pages. A page is a segment of the memory like those of the queues:
// index and entries need no fixed border between them.
type index struct {
	mem  []byte
	segs *segments

	pageShift uint     // log2 of the lines of a page
	pages     []uint32 // first line of each page of buckets; never grows beyond its capacity
	taken     int      // pages of buckets and of overflow lines
	buckets   uint32
	mask      uint32 // least 2^k-1 that is not below buckets-1
	entries   uint32 // live slots

	unusedLine uint32 // list of returned overflow lines, linked by next; 0 ends it
	freshLine  uint32 // the overflow page's lines from here to endLine were not handed out yet
	endLine    uint32
	overflow   int // overflow lines in use
}

const (
	startBuckets = 16

	// An index of loadNumerator/loadDenominator entries a bucket splits the next one. At 4.5 of 7 slots
	// an entry costs 15 bytes of index, overflow lines included, 1 lookup in 30 reads a second line, and
	// the ghosts' room is about half the number of entries: twice the ghosts gain nothing on Zipf traces.
	loadNumerator, loadDenominator = 9, 2

	// maxIndexShare is the part of the memory, one in so many, that the index may take. Entries of less
	// than 60 bytes each would fill it.
	maxIndexShare = 4

	// Free segments that index growth leaves to the queues.
	indexReserve = 2
)

func newIndex(mem []byte, segs *segments) index {
	most := max(1, len(segs.table)/maxIndexShare)
	return index{mem: mem, segs: segs, pageShift: segs.shift - lineShift, pages: make([]uint32, 0, most)}
}

// reset empties the index. All segments must be free: the first becomes its first page.
func (x *index) reset() {
	x.pages, x.taken = x.pages[:0], 0
	x.buckets, x.mask, x.entries = startBuckets, startBuckets-1, 0
	x.unusedLine, x.freshLine, x.endLine, x.overflow = 0, 0, 0, 0
	first, _ := x.takePage(0)
	x.pages = append(x.pages, first)
	for n := range uint32(startBuckets) {
		*x.at(first + n) = line{}
	}
}

// at returns the line with the given number.
func (x *index) at(n uint32) *line {
	return (*line)(x.mem[int(n)<<lineShift:])
}

// bucket returns the number of the first line of the bucket that a hash belongs to.
func (x *index) bucket(hash uint32) uint32 {
	b := hash & x.mask
	if b >= x.buckets {
		b &= x.mask >> 1 // not split yet
	}
	return x.pages[b>>x.pageShift] + b&(1<<x.pageShift-1)
}

// takePage takes a segment as long as that leaves reserve free ones, and returns its first line.
func (x *index) takePage(reserve int) (first uint32, ok bool) {
	if x.segs.free() <= reserve || x.taken == cap(x.pages) {
		return 0, false
	}
	x.taken++
	return x.segs.take() << x.pageShift, true
}

// takeLine returns an empty overflow line, 0 when there is none to be had.
func (x *index) takeLine() uint32 {
	n := x.unusedLine
	if n != 0 {
		x.unusedLine = x.at(n).next()
	} else {
		if x.freshLine == x.endLine {
			first, ok := x.takePage(indexReserve)
			if !ok {
				return 0
			}
			x.freshLine, x.endLine = first, first+1<<x.pageShift
		}
		n = x.freshLine
		x.freshLine++
	}
	x.overflow++
	*x.at(n) = line{}
	return n
}

// returnLine takes an overflow line back.
func (x *index) returnLine(n uint32) {
	x.at(n).setNext(x.unusedLine)
	x.unusedLine = n
	x.overflow--
}

// place is where a slot stands.
type place struct {
	first, line uint32 // line numbers: the bucket's first, the slot's own
	slot        int
}

// find returns the place of the entry at a location.
func (x *index) find(hash, location uint32) (place, bool) {
	want := makeSlot(location, hash)
	first := x.bucket(hash)
	for n := first; ; {
		l := x.at(n)
		for i := range slotsPerLine {
			if l.slot(i) == want {
				return place{first, n, i}, true
			}
		}
		if n = l.next(); n == 0 {
			return place{}, false
		}
	}
}

// move records that the entry of a slot now is at another location.
func (x *index) move(p place, hash, location uint32) {
	x.at(p.line).setSlot(p.slot, makeSlot(location, hash))
}

// exorcise removes the ghost of a hash, and reports whether there was one.
func (x *index) exorcise(hash uint32) bool {
	l := x.at(x.bucket(hash))
	ghost := makeSlot(ghostLocation, hash)
	for i := range slotsPerLine {
		if l.slot(i) == ghost {
			l.setSlot(i, emptySlot)
			return true
		}
	}
	return false
}

// insert files an entry. It returns false if another entry of the bucket had to go for it.
//
// When a bucket has an overflow line, all lines before its last are full of entries.
func (x *index) insert(hash, location uint32) bool {
	first := x.bucket(hash)
	n, length := first, 1
	for x.at(n).next() != 0 {
		n = x.at(n).next()
		length++
	}
	l := x.at(n)
	s := makeSlot(location, hash)
	x.entries++
	ghosts := uint32(0)
	for i := range slotsPerLine {
		switch slotLocation(l.slot(i)) {
		case emptySlot:
			l.setSlot(i, s)
			return true
		case ghostLocation:
			ghosts++
		}
	}
	if ghosts > 0 {
		skip := l.turn() % ghosts
		for i := range slotsPerLine {
			if slotLocation(l.slot(i)) != ghostLocation {
				continue
			}
			if skip == 0 {
				l.setSlot(i, s)
				return true
			}
			skip--
		}
	}
	if length < maxLines {
		if o := x.takeLine(); o != 0 {
			l.setNext(o)
			x.at(o).setSlot(0, s)
			return true
		}
	}
	x.entries--
	l.setSlot(int(l.turn()%slotsPerLine), s)
	return false
}

// remove takes an entry out. With haunt it leaves a ghost, if there is room for one.
func (x *index) remove(p place, haunt bool) {
	x.entries--
	last, before := p.first, p.first
	for x.at(last).next() != 0 {
		before, last = last, x.at(last).next()
	}
	l := x.at(last)
	if last == p.first {
		left := uint64(emptySlot)
		if haunt {
			left = makeSlot(ghostLocation, slotHash(l.slot(p.slot)))
		}
		l.setSlot(p.slot, left)
		return
	}
	// The last entry of the bucket takes the place of the removed one.
	i := slotsPerLine - 1
	for !live(l.slot(i)) {
		i--
	}
	x.at(p.line).setSlot(p.slot, l.slot(i))
	l.setSlot(i, emptySlot)
	if i == 0 {
		x.at(before).setNext(0)
		x.returnLine(last)
	}
}
