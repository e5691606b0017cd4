// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// The way back to who asks. What the kernel's own stack answers has passed its check of the source (rp_filter, RFC 3704);
// this is the same check, by choice, for what the stack does not see.
#ifndef HEIMDALL_REVERSE_H
#define HEIMDALL_REVERSE_H

#include "state.h"

// tag_of returns a VLAN tag as the table of arrivals has it; 0: none.
static __always_inline __u16 tag_of(struct vlan *tag, __be16 proto)
{
	return (bpf_ntohs(tag->tci) & 0xfff) | (proto == bpf_htons(ETH_P_8021AD) ? TAG_SERVICE : TAG_CUSTOMER);
}

// arrived_on returns the index of the interface that a packet has come on to the host's mind: for eth0 that may be a bond,
// a bridge, or a VLAN's; 0: none.
static __always_inline __u32 arrived_on(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct vlan *tag = (void *)(eth + 1);
	struct arrival key = {.index = ctx->ingress_ifindex};
	__u32 *found;

	if ((void *)(tag + 2) > end)
		return 0;
	if (is_vlan(eth->h_proto)) {
		key.outer = tag_of(tag, eth->h_proto);
		if (is_vlan(tag->proto))
			key.inner = tag_of(tag + 1, tag->proto);
	}
	found = bpf_map_lookup_elem(&arrivals, &key);
	if (found)
		return *found;
	return key.outer ? 0 : key.index;
}

// astray tells whether the host would not reach the source of a query: at all, or over the interface that it has come on.
// What cannot be found out counts as well. The route is looked up as the stack does for its check: from the address
// asked to the source, as if from the loopback interface, of which the helper wants forwarding to be on.
__noinline int astray(struct xdp_md *ctx, struct query *q)
{
	struct bpf_fib_lookup way = {.l4_protocol = IPPROTO_UDP, .ifindex = LOOPBACK};
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct udphdr *udp;
	int result;

	if (!q)
		return 1;
	udp = data + (q->udp & 127);
	if ((void *)(udp + 1) > end)
		return 1;
	way.sport = udp->source;
	way.dport = udp->dest;
	if (q->v6) {
		struct ipv6hdr *ip = data + (q->ip & 63);

		if ((void *)(ip + 1) > end)
			return 1;
		way.family = FAMILY_IPV6;
		__builtin_memcpy(way.ipv6_src, &ip->daddr, sizeof ip->daddr);
		__builtin_memcpy(way.ipv6_dst, &ip->saddr, sizeof ip->saddr);
	} else {
		struct iphdr *ip = data + (q->ip & 63);

		if ((void *)(ip + 1) > end)
			return 1;
		way.family = FAMILY_IPV4;
		way.tos = ip->tos;
		way.ipv4_src = ip->daddr;
		way.ipv4_dst = ip->saddr;
	}
	result = bpf_fib_lookup(ctx, &way, sizeof way, 0);
	// A neighbour whose link address is not known has the interface of the route too.
	if (result != BPF_FIB_LKUP_RET_SUCCESS && result != BPF_FIB_LKUP_RET_NO_NEIGH)
		return 1;
	return reverse_path == REVERSE_STRICT && way.ifindex != arrived_on(ctx);
}

#endif
