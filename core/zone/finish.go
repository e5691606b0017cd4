package zone

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Finish packs the zone into memory that alloc gives, which must be zeroed and which the Zone keeps, and
// checks it. The Zone is nil if one of the problems is an Error; what alloc gave is then unused. alloc is
// called once at most; nil: the Go heap.
func (b *Builder) Finish(alloc func(size int) ([]byte, error)) (*Zone, []Problem) {
	defer b.release()
	if b.outside > maxProblems {
		b.problems.add(Warning, nil, 0, "%d records are not in the zone: ignored", b.outside)
	}
	z := &Zone{seed: b.seed, origin: b.origin}
	chain, err := b.complete()
	if err == nil {
		err = b.pack(z, chain, alloc)
	}
	if err != nil {
		b.problems.add(Error, nil, 0, "build the zone: %v", err)
		return nil, b.problems.finish()
	}
	b.check(z)
	if b.problems.count[Error] > 0 {
		z = nil
	}
	return z, b.problems.finish()
}

// complete adds the empty non-terminals to the log and gives every node its flags. It returns the number
// of nodes with an NSEC record.
func (b *Builder) complete() (chain int, err error) {
	apex, err := b.addNode(nil)
	if err != nil {
		return 0, err
	}
	err = b.eachNode(func(ref uint32, node []byte) error {
		name := logName(node)
		if node[8]&flagNSEC != 0 {
			chain++
		}
		if len(name) == 0 || node[8]&flagHash != 0 {
			return nil
		}
		parent := apex
		if rest := name[1+int(name[0]):]; len(rest) > 0 {
			var err error
			if parent, err = b.addNode(rest); err != nil {
				return err
			}
		}
		if name[0] == 1 && name[1] == '*' {
			b.nodes.at(parent)[8] |= flagWild
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	// With all cuts and DNAMEs known, what lies below them can be told.
	return chain, b.eachNode(func(ref uint32, node []byte) error {
		name := logName(node)
		if len(name) == 0 || node[8]&flagHash != 0 {
			return nil
		}
		for rest := name; len(rest) > 0; {
			rest = rest[1+int(rest[0]):]
			above := apex
			if len(rest) > 0 {
				above = b.table.find(&b.nodes, hashOf(b.seed, rest), rest)
			}
			if b.nodes.at(above)[8]&(flagCut|flagDNAME) != 0 {
				node[8] |= flagBelow
				break
			}
		}
		return nil
	})
}

// pack writes the zone's memory.
func (b *Builder) pack(z *Zone, chain int, alloc func(int) ([]byte, error)) error {
	// The log may be as large as the result, so that nothing of it is kept that is not needed.
	b.table.release()
	z.buckets = uint32(bucketCount(b.names))
	at := int(z.buckets) * bucketLen
	z.chain, at = nil, at+4*chain
	z.nodes = at + 4*b.hashes
	z.memory = z.nodes + b.size
	memory := Memory{Alloc: alloc}
	mem, err := memory.alloc(z.memory)
	if err != nil {
		return err
	}
	z.mem = mem
	var nsec, nsec3 []uint32
	p := packer{b: b, z: z, end: z.nodes}
	done := 0
	err = b.eachNode(func(ref uint32, node []byte) error {
		at := uint32(p.end / refUnit)
		if err := p.node(node); err != nil {
			return err
		}
		// Where the records of each name stand together, those of the next come after the youngest of this.
		if chunk := int(logHead(node) / chunkRefs); !b.scattered && chunk > done {
			b.records.release(chunk)
			done = chunk
		}
		switch {
		case node[8]&flagHash != 0:
			nsec3 = append(nsec3, at)
			return nil
		case node[8]&flagNSEC != 0:
			nsec = append(nsec, at)
		}
		z.insert(logHash(node), at)
		return nil
	})
	if err != nil {
		return err
	}
	z.mem, z.names, z.records = mem[:p.end], b.names, p.records
	z.apex = z.find(nil)
	z.setApex()
	z.setChain(nsec)
	z.setHashes(nsec3)
	return nil
}

// setApex takes from the apex what every negative response needs.
func (z *Zone) setApex() {
	recs, _ := rrset(z.node(z.apex), wire.TypeSOA)
	if recs == nil {
		return
	}
	z.soa = recs[:recordSize(recs)]
	fixed := z.soa[len(z.soa)-20:]
	z.serial = binary.BigEndian.Uint32(fixed)
	// RFC 2308, section 3: the TTL of a negative response.
	z.negTTL = min(recordTTL(z.soa), binary.BigEndian.Uint32(fixed[16:]))
}

// setChain puts the nodes with NSEC records in canonical order (RFC 4034, section 6.1).
func (z *Zone) setChain(nodes []uint32) {
	order := func(x, y uint32) int {
		return dname.Compare(nodeName(z.node(x)), nodeName(z.node(y)))
	}
	if !slices.IsSortedFunc(nodes, order) {
		slices.SortFunc(nodes, order)
	}
	start := int(z.buckets) * bucketLen
	z.chain = z.putRefs(start, nodes)
}

// setParams takes the parameters of the NSEC3 chain from the apex. It returns false when there are none.
func (z *Zone) setParams() bool {
	param, _ := rrset(z.node(z.apex), wire.TypeNSEC3PARAM)
	for ; len(param) >= recordLen; param = param[recordSize(param):] {
		// RFC 5155, section 4.1.2: flags other than 0 mean that the chain is not complete.
		if rdata := param[recordLen:recordSize(param)]; rdata[0] == 1 && rdata[1] == 0 {
			z.params = hashParams{int(binary.BigEndian.Uint16(rdata[2:])), rdata[5:]}
			return true
		}
	}
	return false
}

// setHashes puts the NSEC3 owners that belong to the zone's chain in order.
func (z *Zone) setHashes(nodes []uint32) {
	if !z.setParams() {
		return
	}
	// RFC 5155, section 7.2: records of other chains are not for answering.
	nodes = slices.DeleteFunc(nodes, func(ref uint32) bool { return !z.inChain(z.node(ref)) })
	slices.SortFunc(nodes, func(x, y uint32) int {
		return cmp.Or(bytes.Compare(nodeName(z.node(x)), nodeName(z.node(y))), cmp.Compare(x, y))
	})
	start := int(z.buckets)*bucketLen + len(z.chain)
	z.hashes = z.putRefs(start, nodes)
}

// inChain reports whether an NSEC3 owner has a record with the zone's parameters.
func (z *Zone) inChain(node []byte) bool {
	recs, _ := rrset(node, wire.TypeNSEC3)
	for ; len(recs) >= recordLen; recs = recs[recordSize(recs):] {
		rdata := recs[recordLen:]
		if rdata[0] == 1 && int(binary.BigEndian.Uint16(rdata[2:])) == z.params.iterations &&
			bytes.Equal(rdata[5:5+int(rdata[4])], z.params.salt) {
			return true
		}
	}
	return false
}

func (z *Zone) putRefs(at int, list []uint32) refs {
	r := z.mem[at : at+4*len(list) : at+4*len(list)]
	for i, ref := range list {
		binary.LittleEndian.PutUint32(r[i*4:], ref)
	}
	return r
}

// Discard gives back the memory of a Builder that will not be finished.
func (b *Builder) Discard() { b.release() }

// release gives back the memory of the log.
func (b *Builder) release() {
	b.table.release()
	b.nodes.release(len(b.nodes.chunks))
	b.records.release(len(b.records.chunks))
}
