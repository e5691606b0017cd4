// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Picks the socket of an SO_REUSEPORT group by the qname, so that each name has one shard.
#include <linux/bpf.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "name.h"

enum { DNS_HEADER = 12, MAX_NAME = 255 };

const volatile __u64 seed; // of the name hash
volatile __u32 shards;	   // how many take part

struct {
	__uint(type, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} sockets SEC(".maps");

// owner returns the number of the shard that owns the name of a query, or -1 if there is none to be read.
static __always_inline int owner(struct sk_reuseport_md *md)
{
	__u8 *name = md->data + sizeof(struct udphdr) + DNS_HEADER, *at;
	__u32 length = 0, label = 1;
	__u64 hash = seed;

	for (int i = 0; i < 128 && label; i++) {
		at = name + length;
		if ((void *)(at + 1) > md->data_end || length >= MAX_NAME)
			return -1;
		label = *at;
		if (label > 63)
			return -1;
		length += label + 1;
	}
	if (length < 1 || length > MAX_NAME)
		return -1;
	for (int i = 0; i < (MAX_NAME + 7) / 8; i++) {
		at = name + i * 8;
		if (i * 8 + 8 > length)
			break;
		if ((void *)(at + 8) > md->data_end)
			return -1;
		hash = mix(hash, lower8(*(__u64 *)at));
	}
	if (length & 7) {
		at = name - 8;
		barrier_var(at);
		at += length;
		if ((void *)(at + 8) > md->data_end)
			return -1;
		hash = mix(hash, last_word(*(__u64 *)at, length));
	}
	return (hash >> 32) * shards >> 32;
}

SEC("sk_reuseport")
int steer(struct sk_reuseport_md *md)
{
	int shard = owner(md);

	// Whoever gets what has no owner, or comes while its shard's socket is being replaced, answers it.
	if (shard >= 0)
		bpf_sk_select_reuseport(md, &sockets, &shard, 0);
	return SK_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
