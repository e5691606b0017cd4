// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Who asks, and how often.
#ifndef HEIMDALL_CLIENT_H
#define HEIMDALL_CLIENT_H

#include "state.h"

// search looks the source of the query up in the table.
__noinline int search(struct query *q)
{
	struct client_key key = {.bits = 32 + 128};
	enum client *found;

	if (!q)
		return CLIENT_DENY;
	key.v6 = q->v6;
	key.addr[0] = q->src[0];
	key.addr[1] = q->src[1];
	found = bpf_map_lookup_elem(&clients, &key);
	if (found)
		return *found;
	return q->v6 ? clients6 : clients4;
}

// permission returns what the source of the query may do, enum client.
static __always_inline int permission(struct query *q)
{
	if (clients_used)
		return search(q);
	return q->v6 ? clients6 : clients4;
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
