package anchors

import (
	"encoding/binary"
	"errors"
	"fmt"

	"heimdall/core/dname"
	"heimdall/core/dnssec"
	"heimdall/core/wire"
)

// errNoKeys: the response has no DNSKEY records.
var errNoKeys = errors.New("the response has no keys")

// rootKeys returns the root's DNSKEY RRset of a response.
func rootKeys(msg []byte) (*dnssec.RRset, error) {
	var r wire.Reader
	if !r.Reset(msg) {
		return nil, errNoKeys
	}
	if rcode := wire.RcodeOf(wire.Flags(msg)); rcode != wire.RcodeNoError {
		return nil, fmt.Errorf("the response is %s", rcode)
	}
	set := &dnssec.RRset{Owner: dname.Root(), Type: wire.TypeDNSKEY, Class: wire.ClassIN, Section: wire.Answer, TTL: 1<<31 - 1}
	var rr wire.RR
	for {
		section, more := r.Next(&rr)
		if !more {
			break
		}
		if section == wire.Answer && rr.Class == wire.ClassIN && atRoot(msg, &rr) {
			addKey(set, msg, &rr)
		}
	}
	if len(set.Data) == 0 {
		return nil, errNoKeys
	}
	return set, nil
}

// atRoot tells whether a record of msg belongs to the root.
func atRoot(msg []byte, rr *wire.RR) bool {
	var buf [dname.MaxLen]byte
	owner, _, ok := dname.Unpack(buf[:0], msg, rr.Owner)
	return ok && dname.Name(owner).IsRoot()
}

// addKey adds a record of msg to the RRset, if it is a key or signs keys.
func addKey(set *dnssec.RRset, msg []byte, rr *wire.RR) {
	rdata, ok := wire.UnpackRData(nil, msg, rr)
	switch {
	case !ok:
	case rr.Type == wire.TypeDNSKEY:
		set.Data = append(set.Data, rdata)
		set.TTL = min(set.TTL, rr.TTL)
	case rr.Type == wire.TypeRRSIG && len(rdata) >= 2 && wire.Type(binary.BigEndian.Uint16(rdata)) == wire.TypeDNSKEY:
		set.Sigs = append(set.Sigs, rdata)
	}
}
