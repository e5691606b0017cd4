// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Who asks, and how often.
#ifndef HEIMDALL_CLIENT_H
#define HEIMDALL_CLIENT_H

#include "state.h"

// search looks the source of the query up in one of the two tables.
__noinline enum client search(struct query *q, __u32 which, enum client others)
{
	struct client_key key = {.bits = 32 + 128};
	enum client *found;
	void *table;

	if (!q)
		return CLIENT_DENY;
	table = bpf_map_lookup_elem(&clients, &which);
	if (!table)
		return CLIENT_NONE; // this does not happen: it is there before it counts
	key.v6 = q->v6;
	key.addr[0] = q->src[0];
	key.addr[1] = q->src[1];
	found = bpf_map_lookup_elem(table, &key);
	return found ? *found : others;
}

// permission returns what the source of the query may do, enum client.
static __always_inline enum client permission(struct query *q)
{
	__u32 now = clients_now, others = (q->v6 ? now >> 8 : now) & 0xff;

	return now & CLIENTS_USED ? search(q, now >> CLIENTS_WHICH & 1, others) : others;
}

// limited takes a token from the bucket of the source's prefix and returns whether there was none. The bucket
// is one number: when the next query is due at the full rate (the generic cell rate algorithm, ITU-T I.371).
__noinline int limited(struct query *q)
{
	struct bucket_key key = {};
	__u64 now, due, *bucket;

	if (!q)
		return 0;
	key.v6 = q->v6;
	key.prefix = q->src[0] & (q->v6 ? limit_mask6 : limit_mask4);
	now = bpf_ktime_get_coarse_ns();
	bucket = bpf_map_lookup_elem(&buckets, &key);
	if (!bucket) {
		due = now + limit_interval;
		bpf_map_update_elem(&buckets, &key, &due, BPF_ANY);
		return 0;
	}
	// Another CPU may take a token at the same time; who has lost twice was one of many, and goes without.
	for (int i = 0; i < 2; i++) {
		__u64 old = *(volatile __u64 *)bucket;

		due = old > now ? old : now;
		if (due - now > limit_burst)
			return 1;
		if (__sync_val_compare_and_swap(bucket, old, due + limit_interval) == old)
			return 0;
	}
	return 1;
}

#endif
