// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Headers, the parsed query, and what the maps hold.
#ifndef HEIMDALL_LAYOUT_H
#define HEIMDALL_LAYOUT_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "exits.h"

enum {
	NAME_WORDS = 8,		   // a hot name has at most 64 octets, root included
	INLINE_DATA = 72,	   // octets of name and records in an entry itself
	INLINE_TTLS = 7,	   // records in them
	BODY_DATA = 512,	   // octets of records beside the entry
	BODY_TTLS = 28,		   // records in them
	ENDPOINTS = 32,		   // listen addresses of each family
	HEAT_SETS = 65536,	   // of counters of questions; a power of two
	HEAT_WAYS = 4,		   // counters in a set
	INTERFACES = 64,	   // that are special
	DNS_HEADER = 12, QUESTION_TAIL = 4, OPT_LENGTH = 11,
};

// Bits of a query that decide which answer it gets.
enum { BIT_DO = 1, BIT_CD = 2 };

// What a source prefix may do.
enum client {
	CLIENT_NONE = 0,
	CLIENT_DENY = 1,   // nothing
	CLIENT_EXEMPT = 2, // ask at any rate
	CLIENT_ASK = 4,	   // have answers out of the cache
};

struct dnshdr {
	__be16 id;
	__be16 flags;
	__be16 qd, an, ns, ar;
};

// Flags of the DNS header, host order.
enum {
	FLAG_QR = 0x8000,
	FLAG_OPCODE = 0x7800,
	FLAG_TC = 0x0200,
	FLAG_RD = 0x0100,
	FLAG_RA = 0x0080,
	FLAG_AD = 0x0020,
	FLAG_CD = 0x0010,
};

// What is known of a packet, handed from stage to stage.
struct query {
	__u64 src[2];		  // source address, network order; IPv4 in the first octets
	__u64 key;		  // hash of name, type and bits
	__u64 name[NAME_WORDS];	  // qname in lower case, padded with zeros
	__u64 opt;		  // of the OPT what follows its name, but for its length, as it came
	__u16 ip, udp;		  // offsets of the headers
	__u16 payload;		  // octets of UDP payload
	__u16 flags;		  // of the DNS header, host order
	__u16 limit;		  // octets that the response may have
	__be16 type;
	__u8 v6, edns, bits, qlen; // qlen: of the qname, root included
	__u8 pad[4];
};

// A hot answer: two cache lines, which the hardware fetches together. User space writes it in place. While it
// does, serial is 0; whoever finds another serial after reading than before has read a mixture.
struct answer {
	__u64 key;	   //  0 hash of name, type and bits
	__u32 serial;	   //  8 another one after each writing, so that readers see it; 0: none
	__u32 generation;  // 12 valid as long as the program's is the same
	__u32 stored;	   // 16 second that the TTLs count from
	__u32 expires;	   // 20 second from which it is of no use
	__u32 refresh;	   // 24 second from which the shard wants to see a query now and then
	__u32 used;	   // 28 second of the last response; by the kernel
	__u32 passed;	   // 32 second of the last query passed for refresh; by the kernel
	__u16 flags;	   // 36 second word of the header without RD, RA, CD and AD, host order
	__be16 type;	   // 38
	__u16 length;	   // 40 octets of records
	__u8 counts[3];	   // 42 records in the sections, without OPT
	__u8 bits;	   // 45 of the query
	__u8 marks;	   // 46
	__u8 qlen;	   // 47 octets of qname
	__u8 ttls;	   // 48 records in data; those of a body are counted there
	__u8 ttl[INLINE_TTLS]; // 49 offset of each TTL in the records
	__u8 data[INLINE_DATA]; // 56 qname padded to words, then the records, or in the last word the number of the body
} __attribute__((aligned(8))); // 128

// Marks of an answer.
enum {
	MARK_AD = 1,	 // the data is authentic: AD for those who want to know
	MARK_OPEN = 2,	 // for everybody, not only for those who may have cached answers
	MARK_BESIDE = 4, // the records are in the body, not in data
};

// The records of an answer that are too long for its entry.
struct body {
	__u64 number; // no two bodies ever have the same
	__u16 ttls;
	__u16 pad[3];
	__u16 ttl[BODY_TTLS];
	__u8 data[BODY_DATA];
};

// How often questions of one set were asked without a hot answer: 16 bits of the key, 16 of count. 0: unused.
struct heat {
	__u32 slot[HEAT_WAYS];
};

// A question that was asked often enough to deserve a hot answer.
struct nominee {
	__u64 name[NAME_WORDS]; // as in struct query
	__be16 type;
	__u8 bits, qlen;
	__u8 pad[4];
};

// A listen address; the address in IPv6 form.
struct endpoint {
	__u64 addr[2];
	__be16 port;
	__u16 pad[3];
};

// A network interface with AF_XDP sockets, one that is an end of a veth pair, or one with the program in generic mode.
struct interface {
	__u32 index;  // of the interface
	__u32 first;  // where its sockets stand in the map of sockets: that of queue 0
	__u32 queues; // that have sockets, from 0
	__u16 veth;    // it is an end of a veth pair
	__u16 generic; // the program runs in generic mode
};

struct vlan {
	__be16 tci;
	__be16 proto;
};

static __always_inline int is_vlan(__be16 proto)
{
	return proto == bpf_htons(ETH_P_8021Q) || proto == bpf_htons(ETH_P_8021AD);
}

// On what a packet comes: a network interface, and VLAN tags; 0: none.
struct arrival {
	__u32 index; // of the interface
	__u16 outer; // ID with one of the bits below
	__u16 inner;
};
enum { TAG_CUSTOMER = 1 << 12, TAG_SERVICE = 1 << 13 }; // 802.1Q, 802.1ad

// How the way back to a client is checked.
enum { REVERSE_OFF, REVERSE_LOOSE, REVERSE_STRICT };

// Numbers of the kernel's.
enum { FAMILY_IPV4 = 2, FAMILY_IPV6 = 10, LOOPBACK = 1 };

// A prefix of client addresses, for the longest match.
struct client_key {
	__u32 bits; // of what follows
	__u32 v6;   // 32 of them, whose value is 0 or 1
	__u64 addr[2];
};

// A prefix of client addresses that shares a rate.
struct bucket_key {
	__u64 prefix; // the first 64 bits, masked, network order
	__u64 v6;
};

#endif
