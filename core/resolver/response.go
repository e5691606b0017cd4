package resolver

import (
	"encoding/binary"

	"heimdall/core/dname"
	"heimdall/core/resolver/known"
	"heimdall/core/wire"
)

// Bounds of one response that is read.
const (
	maxRecords = 4096      // records; a message could claim 65535
	maxNames   = 256 << 10 // octets of owner names, when compression made them many
)

// part is one record of a response.
type part struct {
	owner   dname.Name // in lower case
	section wire.Section
	rr      wire.RR
}

// response is a message split into records. Its memory is used again for the next one.
type response struct {
	msg    []byte
	flags  uint16
	rcode  wire.Rcode
	hasOPT bool
	ede    wire.EDE // the first extended error
	hasEDE bool
	cookie []byte // data of the COOKIE option, borrowed from msg
	parts  []part
	names  []byte
	reader wire.Reader
	server int32 // that it came from
}

// rank is the trust in what a response answers (RFC 2181, section 5.4.1).
func (r *response) rank() known.Rank {
	if r.flags&wire.FlagAA != 0 {
		return known.AuthAnswer
	}
	return known.NonAuthAnswer
}

// hollow says whether a response says nothing at all. RFC 2308, section 2.2, counts that as NODATA, but servers that have
// lost a zone say it too: the first to do so is believed only if no other server says more.
func (r *response) hollow() bool { return r.rcode == wire.RcodeNoError && len(r.parts) == 0 }

// read splits msg; false if it is malformed or beyond the bounds.
func (r *response) read(msg []byte) bool {
	r.msg, r.flags = msg, wire.Flags(msg)
	r.rcode = wire.RcodeOf(r.flags)
	r.hasOPT, r.hasEDE, r.cookie = false, false, nil
	r.parts, r.names = trim(r.parts, keptParts), trim(r.names, keptOctets)
	if !r.reader.Reset(msg) {
		return false
	}
	var rr wire.RR
	pointer := -1 // where the last owner pointed to, when it was nothing but a pointer
	var owner dname.Name
	for {
		section, ok := r.reader.Next(&rr)
		if !ok {
			return !r.reader.Err()
		}
		if rr.Type == wire.TypeOPT {
			if section != wire.Additional || r.hasOPT || !r.readOPT(&rr) {
				return false
			}
			continue
		}
		if len(r.parts) == maxRecords || len(r.names) > maxNames {
			return false
		}
		to := -1
		if msg[rr.Owner]&0xC0 == 0xC0 {
			to = int(binary.BigEndian.Uint16(msg[rr.Owner:]) & 0x3FFF)
		}
		if to < 0 || to != pointer {
			start := len(r.names)
			names, _, ok := dname.Unpack(r.names, msg, rr.Owner)
			if !ok {
				return false
			}
			r.names = names
			owner = dname.Name(names[start:])
			lower(owner)
			pointer = to
		}
		r.parts = append(r.parts, part{owner: owner, section: section, rr: rr})
	}
}

func (r *response) readOPT(rr *wire.RR) bool {
	opt, options, ok := wire.ParseOPT(r.msg, rr)
	if !ok {
		return false
	}
	r.hasOPT, r.rcode = true, opt.Rcode
	for {
		code, data, ok := options.Next()
		if !ok {
			return true
		}
		if code == wire.OptionCookie && r.cookie == nil {
			r.cookie = data
		}
		if code == wire.OptionEDE && len(data) >= 2 && !r.hasEDE {
			r.hasEDE, r.ede = true, wire.EDE(binary.BigEndian.Uint16(data))
		}
	}
}

// covered is the type that an RRSIG signs, 0 for other records.
func (r *response) covered(p *part) wire.Type {
	if p.rr.Type != wire.TypeRRSIG || p.rr.End-p.rr.Data < 18 {
		return 0
	}
	return wire.Type(binary.BigEndian.Uint16(r.msg[p.rr.Data:]))
}

// lower turns a name to lower case in place.
func lower(n dname.Name) {
	for i, c := range n {
		if 'A' <= c && c <= 'Z' {
			n[i] = c + 'a' - 'A'
		}
	}
}
