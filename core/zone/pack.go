package zone

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// packer writes nodes of the log as nodes of the zone.
type packer struct {
	b       *Builder
	z       *Zone
	end     int // of the last node, as an offset in the zone's memory
	records int // written

	list []logRecord // of the node at hand
}

// node writes one node.
func (p *packer) node(node []byte) error {
	name := logName(node)
	out := p.z.mem[p.end:]
	out[4] = byte(len(name))
	at := nodeHeader + copy(out[nodeHeader:], name)
	p.collect(node)
	p.sets(node)
	for i := range p.list {
		r := &p.list[i]
		binary.BigEndian.PutUint16(out[at:], uint16(r.t))
		binary.BigEndian.PutUint16(out[at+2:], uint16(wire.ClassIN))
		binary.BigEndian.PutUint32(out[at+4:], r.ttl)
		binary.BigEndian.PutUint16(out[at+8:], uint16(len(r.rdata)))
		at += recordLen + copy(out[at+recordLen:], r.rdata)
	}
	p.records += len(p.list)
	size := nodeSize(at-nodeHeader, 0)
	if size > maxNode {
		return fmt.Errorf("%s: more than %d octets of records at one name", p.owner(node), maxNode)
	}
	binary.LittleEndian.PutUint32(out, uint32(size/refUnit)|uint32(node[8])<<24)
	p.end += size
	return nil
}

// collect puts the records of a node into p.list, RRset by RRset, each with its RRSIG records.
func (p *packer) collect(node []byte) {
	p.list = p.list[:0]
	for at := logHead(node); at != 0; {
		r := parseLogRecord(p.b.records.at(at))
		p.list = append(p.list, r)
		at = r.prev
	}
	if len(p.list) < 2 {
		return
	}
	slices.Reverse(p.list) // the youngest came first
	slices.SortStableFunc(p.list, func(x, y logRecord) int { return cmp.Compare(setKey(&x), setKey(&y)) })
	for start := 0; start < len(p.list); {
		end := start + 1
		for end < len(p.list) && setKey(&p.list[end]) == setKey(&p.list[start]) {
			end++
		}
		start = p.tidy(node, start, end)
	}
}

// setKey is the same for the records of one RRset, and greater by one for the RRSIG records that cover it.
func setKey(r *logRecord) int {
	if r.t == wire.TypeRRSIG {
		return int(binary.BigEndian.Uint16(r.rdata))<<1 | 1
	}
	return int(r.t) << 1
}

// tidy removes duplicates from the RRset p.list[start:end] and gives it one TTL. It returns where the next
// RRset begins.
func (p *packer) tidy(node []byte, start, end int) int {
	set := p.list[start:end]
	if len(set) == 1 {
		return end
	}
	first, ttl := set[0].ttl, set[0].ttl
	for _, r := range set {
		ttl = min(ttl, r.ttl)
	}
	differ := 0 // the first record with another TTL than the first
	for i := range set {
		if differ == 0 && set[i].ttl != first {
			differ = i
		}
		set[i].ttl = ttl
	}
	if differ > 0 && set[0].t != wire.TypeRRSIG {
		// RFC 2181, section 5.2: the TTLs of an RRset are the same.
		p.b.problems.addAt(where{nth: differ + 1}, Warning, p.owner(node), set[0].t, "TTLs differ within the RRset: all become %d", ttl)
	}
	kept, again := p.unique(set)
	if again != nil {
		p.b.problems.addAt(where{rdata: appendExpanded(nil, p.z.origin, again.t, again.rdata), nth: 2}, Warning, p.owner(node), set[0].t, "record occurs more than once")
		p.list = slices.Delete(p.list, start+kept, end)
	}
	return start + kept
}

// fewRecords is up to how many records an RRset is searched for duplicates by comparing each with each.
const fewRecords = 8

// unique moves the records of set that differ to its front, in their order, and counts them. again is the first that was
// there before, nil if there is none.
func (p *packer) unique(set []logRecord) (kept int, again *logRecord) {
	if len(set) <= fewRecords {
		for _, r := range set {
			if slices.ContainsFunc(set[:kept], func(o logRecord) bool { return p.same(&o, &r) }) {
				if again == nil {
					dup := r // r itself would be on the heap, for each record
					again = &dup
				}
				continue
			}
			set[kept] = r
			kept++
		}
		return kept, again
	}
	seen := make(map[string]struct{}, len(set))
	for _, r := range set {
		key := string(p.canonical(&r))
		if _, dup := seen[key]; dup {
			if again == nil {
				dup := r
				again = &dup
			}
			continue
		}
		seen[key] = struct{}{}
		set[kept] = r
		kept++
	}
	return kept, again
}

func (p *packer) same(x, y *logRecord) bool {
	if bytes.Equal(x.rdata, y.rdata) {
		return true
	}
	return len(x.rdata) == len(y.rdata) && bytes.Equal(p.canonical(x), p.canonical(y))
}

// canonical returns RDATA in canonical form (RFC 4034, section 6.2).
func (p *packer) canonical(r *logRecord) []byte {
	full := appendExpanded(nil, p.z.origin, r.t, r.rdata)
	return wire.CanonicalRData(nil, r.t, full)
}

func (p *packer) owner(node []byte) dname.Name {
	return p.b.logOwner(node)
}

// logOwner returns the whole name of a node of the log.
func (b *Builder) logOwner(node []byte) dname.Name {
	name := logName(node)
	var full []byte
	if len(name) > 0 && name[0] == hashMark {
		full = appendHash(nil, name[1:])
	} else {
		full = append(full, name...)
	}
	return append(full, b.origin...)
}
