package local

import (
	"encoding/binary"
	"strconv"
	"strings"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// specialTTL is the TTL in seconds of all special records, and of negative answers about special names
// (RFC 6303, section 3).
const specialTTL = 10800

// specialZone is a zone that is served from here, as Unbound does by default: an SOA and an NS record at the
// apex, and little else.
type specialZone struct {
	name    string
	records []specialRecord
	below   bool // the records are those of every name below as well
}

type specialRecord struct {
	owner string // relative to the zone; empty: the apex
	typ   wire.Type
	rdata []byte
}

// zone is a specialZone in the tree.
type zone struct {
	soa   []byte   // for negative answers
	below []record // of names that are not in the tree; nil: these do not exist
}

// lookupSpecial looks for the special zone that a name is in, and for the name in it.
func (t *Table) lookupSpecial(q *wire.Query) Verdict {
	name := q.Name
	var starts [dname.MaxLabels]uint8 // offset of each label in name
	labels := 0
	for at := 0; name[at] != 0; at += 1 + int(name[at]) {
		starts[labels] = uint8(at)
		labels++
	}
	var (
		in     *zone
		apex   uint8  // its offset in name
		exists = true // the name is in the tree, as number at
		at     uint32
	)
	for i := labels - 1; i >= 0; i-- {
		start := int(starts[i])
		if at = t.tree.child(at, name[start+1:start+1+int(name[start])]); at == 0 {
			exists = false
			break
		}
		n := &t.tree.nodes[at]
		if i == 0 && q.Type == wire.TypeDS {
			break // RFC 4035, section 3.1.4.1: the DS of an apex belongs to the parent zone
		}
		if n.zone != nil || n.cut {
			in, apex = n.zone, uint8(start)
			if n.cut {
				in = nil
			}
		}
	}
	if in == nil {
		return Verdict{}
	}
	records := in.below
	if exists && t.tree.nodes[at].records != nil {
		records = t.tree.nodes[at].records
	}
	for i := range records {
		// RFC 8482, section 4.1: one RRset is a fair answer to ANY.
		if records[i].typ == q.Type || q.Type == wire.TypeANY {
			return Verdict{record: records[i].body, section: wire.Answer, authoritative: true}
		}
	}
	rcode := wire.RcodeNoError
	if !exists && in.below == nil {
		rcode = wire.RcodeNXDomain
	}
	// RFC 2308, section 3: the SOA in the authority section gives the negative answer its TTL.
	return Verdict{record: in.soa, owner: apex, rcode: rcode, section: wire.Authority, authoritative: true}
}

// addSpecial puts the special zones into the tree.
func (t *Table) addSpecial() {
	soa := appendRecord(nil, wire.TypeSOA, wire.ClassIN, specialTTL, soaData())
	ns := appendRecord(nil, wire.TypeNS, wire.ClassIN, specialTTL, parseName("localhost."))
	for _, s := range specialZones {
		z := &zone{soa: soa}
		apex := parseName(s.name)
		t.tails.add(apex)
		n := t.tree.node(apex)
		n.zone = z
		n.records = []record{{wire.TypeSOA, soa}, {wire.TypeNS, ns}}
		for _, r := range s.records {
			owner := t.tree.node(parseName(strings.TrimPrefix(r.owner+"."+s.name, ".")))
			body := appendRecord(nil, r.typ, wire.ClassIN, specialTTL, r.rdata)
			owner.records = append(owner.records, record{r.typ, body})
			if s.below {
				z.below = append(z.below, record{r.typ, body})
			}
		}
	}
}

// soaData is the SOA of all special zones: Unbound's, which is RFC 6303's except for the primary server.
func soaData() []byte {
	data := append([]byte(nil), parseName("localhost.")...)
	data = append(data, parseName("nobody.invalid.")...)
	for _, n := range []uint32{1, 3600, 1200, 604800, specialTTL} { // serial, refresh, retry, expire, minimum
		data = binary.BigEndian.AppendUint32(data, n)
	}
	return data
}

// parseName converts a name out of this package's tables.
func parseName(s string) dname.Name {
	n, err := dname.ParseText(nil, s)
	if err != nil {
		panic("local: bad name in table: " + err.Error())
	}
	return n
}

// specialZones are the names that Unbound 1.17 serves by default. RFC 6761 also lists example., which
// resolvers need not treat as special: its names resolve.
var specialZones = makeSpecialZones()

func makeSpecialZones() []specialZone {
	localhost := []byte("\x09localhost\x00")
	zones := []specialZone{
		{name: "localhost.", below: true, records: []specialRecord{ // RFC 6761, section 6.3
			{"", wire.TypeA, []byte{127, 0, 0, 1}},
			{"", wire.TypeAAAA, []byte{15: 1}},
		}},
		{name: "127.in-addr.arpa.", records: []specialRecord{{"1.0.0", wire.TypePTR, localhost}}},
		{name: strings.Repeat("0.", 31) + "0.ip6.arpa."},
		{name: "1." + strings.Repeat("0.", 31) + "ip6.arpa.", records: []specialRecord{{"", wire.TypePTR, localhost}}},
	}
	for _, name := range []string{
		"test.",      // RFC 6761, section 6.2
		"invalid.",   // RFC 6761, section 6.4
		"onion.",     // RFC 7686, section 2
		"home.arpa.", // RFC 8375, section 4

		// RFC 6303, sections 4.1 to 4.6: private, link-local and documentation addresses.
		"10.in-addr.arpa.", "168.192.in-addr.arpa.",
		"0.in-addr.arpa.", "254.169.in-addr.arpa.", "2.0.192.in-addr.arpa.", "100.51.198.in-addr.arpa.",
		"113.0.203.in-addr.arpa.", "255.255.255.255.in-addr.arpa.",
		"d.f.ip6.arpa.", "8.e.f.ip6.arpa.", "9.e.f.ip6.arpa.", "a.e.f.ip6.arpa.", "b.e.f.ip6.arpa.",
		"8.b.d.0.1.0.0.2.ip6.arpa.",
	} {
		zones = append(zones, specialZone{name: name})
	}
	for i := 16; i < 32; i++ { // RFC 6303, section 4.1: 172.16.0.0/12
		zones = append(zones, specialZone{name: strconv.Itoa(i) + ".172.in-addr.arpa."})
	}
	for i := 64; i < 128; i++ { // RFC 7793: 100.64.0.0/10, shared address space
		zones = append(zones, specialZone{name: strconv.Itoa(i) + ".100.in-addr.arpa."})
	}
	return zones
}
