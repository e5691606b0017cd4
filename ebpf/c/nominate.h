// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Which questions deserve a hot answer. They are counted here and not by the shards: under a load that leaves the
// shards no time, the kernel still knows what is asked for.
#ifndef HEIMDALL_NOMINATE_H
#define HEIMDALL_NOMINATE_H

#include "state.h"

// nominate tells user space of a question. When the ring is full it is forgotten: it will be asked again.
__noinline int nominate(struct query *q)
{
	struct nominee *n;

	if (!q)
		return 0;
	n = bpf_ringbuf_reserve(&nominees, sizeof *n, 0);
	if (!n)
		return 0;
	__builtin_memcpy(n->name, q->name, sizeof n->name);
	n->type = q->type;
	n->bits = q->bits;
	n->qlen = q->qlen;
	bpf_ringbuf_submit(n, BPF_RB_NO_WAKEUP); // user space looks by the clock
	return 0;
}

// warm counts a question and tells whether it has been asked min_hits times. What is asked for least makes room in
// a full set, so that a flood of names that are asked for once never gets far, and keeps nobody else from it. CPUs
// may overwrite one another's counts: that delays a nomination by a query.
static __always_inline int warm(__u64 key)
{
	__u32 set = key >> 16 & (HEAT_SETS - 1), tag = key >> 32 & 0xffff0000, least = 0, i;
	struct heat *h = bpf_map_lookup_elem(&heat, &set);
	__u32 coldest = ~0;

	if (!h)
		return 0;
	for (i = 0; i < HEAT_WAYS; i++) {
		__u32 count = h->slot[i] & 0xffff;

		if (count && (h->slot[i] & 0xffff0000) == tag) {
			h->slot[i] = count + 1 < min_hits ? h->slot[i] + 1 : 0;
			return count + 1 >= min_hits;
		}
		if (count < coldest)
			coldest = count, least = i;
	}
	h->slot[least & (HEAT_WAYS - 1)] = tag | 1;
	return min_hits == 1;
}

// missing counts a question that has no hot answer.
static __always_inline enum exit missing(struct query *q)
{
	if (min_hits && warm(q->key))
		nominate(q);
	return PASS_MISS;
}

// outdated nominates a question whose answer has to be replaced, once a second.
static __always_inline enum exit outdated(struct query *q, struct answer *a, __u32 now, enum exit exit)
{
	if (a->passed != now) {
		a->passed = now;
		if (min_hits)
			nominate(q);
	}
	return exit;
}

#endif
