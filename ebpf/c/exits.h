// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Every way out of the XDP program. Each has a counter, and a name in exit.go, which is generated from here.
#ifndef HEIMDALL_EXITS_H
#define HEIMDALL_EXITS_H

enum exit {
	GO_ON, // not an exit: the next stage decides

	// To the kernel's own stack, untouched, and so to the shards.
	PASS_FRAME,	 // shorter than its headers say
	PASS_GROUP,	 // Ethernet broadcast or multicast
	PASS_NOT_IP,	 // ARP and whatever else
	PASS_IP_OPTIONS, // an IPv4 header that is not 20 octets
	PASS_FRAGMENT,	 // IPv4
	PASS_EXTENSION,	 // an IPv6 extension header, fragments included
	PASS_NOT_UDP,
	PASS_SOURCE,	// an address that nobody can have, port 0, or IPv6 without a UDP checksum
	PASS_LENGTH,	// IP and UDP disagree about the length
	PASS_NOT_OURS,	// another address or port

	PASS_MERGED,	   // octets behind the message, in generic mode: the kernel may have merged queries
	PASS_REVERSE_PATH, // DNS and ours, but the host does not reach the source where the packet came from

	// To the AF_XDP socket of the queue, or without one to the stack. From here on it is DNS and ours.
	PASS_OPCODE,	// not QUERY
	PASS_CLASS,	// not IN
	PASS_RECORDS,	// additional records other than one OPT
	PASS_VERSION,	// of EDNS, not 0
	PASS_OPTIONS,	// the OPT carries options
	PASS_LONG_NAME, // longer than the names in the map
	PASS_DISABLED,	// hot answers are off
	PASS_MISS,	// no hot answer
	PASS_FLUSHED,	// published before the last flush
	PASS_EXPIRED,	// TTL used up
	PASS_REFRESH,	// close to expiry: once a second the shard shall see that it is still wanted
	PASS_CLIENT,	// not among those who may have cached answers
	PASS_SIZE,	// would have to be truncated
	PASS_TAIL,	// the driver has no room behind the packet
	PASS_TORN,	// the answer was replaced while it was copied

	// To nobody.
	DROP_SHORT,    // no whole DNS header
	DROP_RESPONSE, // QR set
	DROP_COUNTS,   // not exactly one question, or records in the answer or authority section
	DROP_NAME,     // qname malformed, or the question cut off
	DROP_TRAILING, // octets behind the question
	DROP_RECORD,   // an additional record that does not end where the message ends
	DROP_DENIED,   // by the prefix table
	DROP_LIMIT,    // above the source prefix's rate
	DROP_TORN,     // likewise, and the query could not be put back

	// Back to the sender.
	SEND_ANSWER,
	SEND_SLIP, // above the rate: empty and with TC, so that a real client comes back over TCP

	EXITS
};

#endif
