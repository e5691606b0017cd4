// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Picks the socket of an SO_REUSEPORT group among those that are in a map, and so the shard: by the client's address
// and port, by the CPU that has received the packet, or by the qname. What is not in the map gets nothing, so that
// a socket can be read to its end and closed.
#include <linux/bpf.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "name.h"

enum { DNS_HEADER = 12, MAX_NAME = 255, NAME_WORDS = (MAX_NAME + 7) / 8, MAX_CPUS = 8192 };
enum { BY_FLOW, BY_CPU, BY_NAME };

const volatile __u32 by;	    // how to choose
const volatile __u64 word_keys[NAME_WORDS][2]; // of the hash: for each word of a name
const volatile __u64 first_key;	    // of the hash: to begin with
volatile __u32 shards;		    // how many take part
volatile __u16 shard_of[MAX_CPUS]; // by CPU

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
	__u64 sum = first_key;
	__u32 i;

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
	for (i = 0; i < NAME_WORDS; i++) {
		at = name + i * 8;
		if (i * 8 + 8 > length)
			break;
		if ((void *)(at + 8) > md->data_end)
			return -1;
		sum += term(word_keys[i], lower8(*(__u64 *)at));
	}
	if (length & 7 && i < NAME_WORDS) {
		at = name - 8;
		barrier_var(at);
		at += length;
		if ((void *)(at + 8) > md->data_end)
			return -1;
		sum += term(word_keys[i], last_word(*(__u64 *)at, length));
	}
	return (sum >> 32) * shards >> 32;
}

static __always_inline int choose(struct sk_reuseport_md *md)
{
	int shard = -1;

	if (by == BY_CPU) {
		__u32 cpu = bpf_get_smp_processor_id();

		if (cpu < MAX_CPUS)
			shard = shard_of[cpu];
	} else if (by == BY_NAME) {
		shard = owner(md);
	}
	if (shard < 0)
		shard = (__u64)md->hash * shards >> 32;
	return shard;
}

// With "migrate" the kernel asks also where to put the connections that wait at a listener which is closed, and those
// whose handshake is under way.
SEC("sk_reuseport/migrate")
int steer(struct sk_reuseport_md *md)
{
	int shard = choose(md);

	// It fails while a socket is being replaced: then the kernel takes any of the group, which is still read.
	bpf_sk_select_reuseport(md, &sockets, &shard, 0);
	return SK_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
