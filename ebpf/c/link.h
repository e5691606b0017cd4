// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// From the Ethernet header to the UDP payload: is this packet ours? Checksums are not checked: network cards have
// done so, and over veth they are unfinished.
#ifndef HEIMDALL_LINK_H
#define HEIMDALL_LINK_H

#include "state.h"

static __always_inline int ipv4(struct iphdr *ip, void *end, struct query *q)
{
	struct udphdr *udp = (void *)(ip + 1);
	__u32 total, first;

	if ((void *)(ip + 1) > end)
		return PASS_FRAME;
	if (*(__u8 *)ip != 0x45)
		return PASS_IP_OPTIONS;
	if (ip->protocol != IPPROTO_UDP)
		return PASS_NOT_UDP;
	if (ip->frag_off & bpf_htons(0x3fff))
		return PASS_FRAGMENT;
	if ((void *)(udp + 1) > end)
		return PASS_FRAME;
	for (__u32 i = 0; i < ENDPOINTS; i++) {
		if (i >= listen4_count)
			return PASS_NOT_OURS;
		if ((__be32)listen4[i].addr[0] == ip->daddr && listen4[i].port == udp->dest)
			break;
		if (i == ENDPOINTS - 1)
			return PASS_NOT_OURS;
	}
	// RFC 1122, section 3.2.1.3: the stack drops such sources.
	first = ip->saddr & 0xff;
	if (first == 0 || first == 127 || first >= 224 || !udp->source)
		return PASS_SOURCE;
	total = bpf_ntohs(ip->tot_len);
	barrier_var(total);
	total &= 0xffff; // the verifier of Linux 6.12 knows no bounds of what was swapped
	if ((void *)ip + total > end || total != sizeof *ip + bpf_ntohs(udp->len) || total < sizeof *ip + sizeof *udp)
		return PASS_LENGTH;
	q->src[0] = ip->saddr;
	q->v6 = 0;
	q->payload = total - sizeof *ip - sizeof *udp;
	return GO_ON;
}

static __always_inline int ipv6(struct ipv6hdr *ip, void *end, struct query *q)
{
	struct udphdr *udp = (void *)(ip + 1);
	__u64 *src = (__u64 *)&ip->saddr, *dst = (__u64 *)&ip->daddr;
	__u32 length;

	if ((void *)(ip + 1) > end)
		return PASS_FRAME;
	if (ip->version != 6)
		return PASS_NOT_IP;
	switch (ip->nexthdr) {
	case IPPROTO_UDP:
		break;
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_FRAGMENT:
	case IPPROTO_DSTOPTS:
		return PASS_EXTENSION;
	default:
		return PASS_NOT_UDP;
	}
	if ((void *)(udp + 1) > end)
		return PASS_FRAME;
	for (__u32 i = 0; i < ENDPOINTS; i++) {
		if (i >= listen6_count)
			return PASS_NOT_OURS;
		if (listen6[i].addr[0] == dst[0] && listen6[i].addr[1] == dst[1] && listen6[i].port == udp->dest)
			break;
		if (i == ENDPOINTS - 1)
			return PASS_NOT_OURS;
	}
	// Multicast, ::/64 with the loopback and mapped addresses in it. RFC 8200, section 8.1: no checksum, no UDP.
	if ((src[0] & 0xff) == 0xff || !src[0] || !udp->source || !udp->check)
		return PASS_SOURCE;
	length = bpf_ntohs(ip->payload_len);
	barrier_var(length);
	length &= 0xffff;
	if ((void *)(ip + 1) + length > end || length != bpf_ntohs(udp->len) || length < sizeof *udp)
		return PASS_LENGTH;
	q->src[0] = src[0];
	q->src[1] = src[1];
	q->v6 = 1;
	q->payload = length - sizeof *udp;
	return GO_ON;
}

// locate finds the UDP payload. The stages are global functions: the verifier checks each once, by itself.
__noinline enum exit locate(struct xdp_md *ctx, struct query *q)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct vlan *tag = (void *)(eth + 1);
	__u32 off = sizeof *eth;
	__be16 proto;
	int exit;

	if (!q || (void *)(eth + 1) > end)
		return PASS_FRAME;
	if (eth->h_dest[0] & 1)
		return PASS_GROUP;
	proto = eth->h_proto;
	for (int i = 0; i < 2 && is_vlan(proto); i++, tag++) {
		if ((void *)(tag + 1) > end)
			return PASS_FRAME;
		proto = tag->proto;
		off += sizeof *tag;
	}
	q->ip = off;
	if (proto == bpf_htons(ETH_P_IP)) {
		q->udp = off + sizeof(struct iphdr);
		exit = ipv4(data + off, end, q);
	} else if (proto == bpf_htons(ETH_P_IPV6)) {
		q->udp = off + sizeof(struct ipv6hdr);
		exit = ipv6(data + off, end, q);
	} else {
		exit = PASS_NOT_IP;
	}
	return exit;
}

#endif
