// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// The maps, and the variables that user space changes while the program runs.
#ifndef HEIMDALL_STATE_H
#define HEIMDALL_STATE_H

#include "layout.h"

// Fixed when the program is loaded.
const volatile __u64 word_keys[NAME_WORDS][4]; // of the hash: for each word of a name, two for each half
const volatile __u64 end_keys[6]; // to begin each half with, for type and bits in each, and to scatter the whole
const volatile __u32 places; // in answers, less one
const volatile __u32 reverse_path; // REVERSE_OFF and so on
const volatile __u32 weakly_ordered; // CPUs of this machine may carry out loads in another order than the program's
const volatile __u64 epoch; // zero of the shards' clocks, in ns of CLOCK_MONOTONIC

volatile __u32 generation;   // answers of another one are not given
volatile __u32 answers_on;   // hot answers are given at all
volatile __u32 min_hits;     // a question is told to user space when it was asked so often without a hot answer, up to 65535; 0: never
volatile __u32 udp_payload;  // octets: largest response, and size in its OPT

volatile __u32 listen4_count;
struct endpoint listen4[ENDPOINTS];
volatile __u32 listen6_count;
struct endpoint listen6[ENDPOINTS];

volatile __u32 interface_count;
struct interface interfaces[INTERFACES];

// Which table of clients counts, and enum client for addresses that it does not have: IPv4 in the lowest octet, IPv6 in
// the next. One word, so that each query is judged by one configuration.
volatile __u32 clients_now;
enum { CLIENTS_WHICH = 16, CLIENTS_USED = 1 << 17 };

volatile __u64 limit_interval; // ns from one query to the next at the full rate; 0: no limit
volatile __u64 limit_burst;    // ns by which a prefix may be ahead of that
volatile __u32 limit_slip;     // one of so many is answered with TC instead of dropped; 0: none is
volatile __u64 limit_mask4;    // of the first 64 bits of an address, network order
volatile __u64 limit_mask6;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EXITS);
	__type(key, __u32); // enum exit
	__type(value, __u64);
} exits SEC(".maps");

// A hash table with four places for each key, two pairs of neighbours, that user space maintains through mmap.
// The kernel's own hash maps cost one more miss of the cache and the TLB, for the bucket; and mmap aligns the
// entries to cache lines.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 65536); // a power of two
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct answer);
} answers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64); // number
	__type(value, struct body);
} bodies SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HEAT_SETS);
	__type(key, __u32);
	__type(value, struct heat);
} heat SEC(".maps");

// A nominee and the ring's own header take 80 octets: 26,000 of them wait at most.
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 2 << 20);
} nominees SEC(".maps");

// One table of clients counts, the other is made meanwhile, with as much room as it needs.
struct client_table {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(struct client_key));
	__uint(value_size, sizeof(enum client));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct client_table);
} clients SEC(".maps");

// What the host takes for the interface that a packet has come on, where it is not the one it came on.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct arrival);
	__type(value, __u32); // index
} arrivals SEC(".maps");

// AF_XDP sockets, of all queues of all interfaces.
struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u32); // descriptor
} sockets SEC(".maps");

// The time in ns of CLOCK_MONOTONIC at which the next query of a prefix is due at the full rate.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct bucket_key);
	__type(value, __u64);
} buckets SEC(".maps");

#endif
