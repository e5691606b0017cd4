package ebpf

import "net/netip"

// Limits is the rate at which each prefix of client addresses may ask. The zero value is no limit.
type Limits struct {
	PerSecond uint32 // queries; 0: no limit
	Burst     uint32 // queries that may come at once; at least what comes in 10 ms, as the kernel's clock is coarse
	Slip      uint32 // of so many queries above the rate one is answered with TC, so that real clients come over TCP; 0: none
	IPv4Bits  uint8  // length of the prefixes, up to 32
	IPv6Bits  uint8  // up to 64
}

// Clients are the prefixes that are treated apart. Of several that hold an address, all count.
type Clients struct {
	Deny   []netip.Prefix // dropped
	Exempt []netip.Prefix // not limited
	Ask    []netip.Prefix // may have cached answers; the queries of others are passed to the shards
}

// ClientTable is how the table of clients in the kernel stands.
type ClientTable struct {
	Prefixes int
	Failures uint64 // changes that could not be made
	Withheld bool   // hot answers are, as the table would give them to clients that may not have them any more
}

// MaxEndpoints is how many listen addresses of each family the program knows: ENDPOINTS in c/layout.h.
const MaxEndpoints = 32
