// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// What every response needs: the OPT, and headers that take it back to where the query came from.
#ifndef HEIMDALL_REPLY_H
#define HEIMDALL_REPLY_H

#include "state.h"

// put_opt writes the OPT of a response at p: no options, DO as in the query (RFC 6891, section 6.1.3).
static __always_inline int put_opt(__u8 *p, void *end, struct query *q)
{
	if ((void *)(p + OPT_LENGTH) > end)
		return -1;
	*(__u32 *)p = bpf_htonl(41 << 8 | (udp_payload >> 8 & 0xff));
	*(__u32 *)(p + 4) = bpf_htonl(udp_payload << 24 | (q->bits & BIT_DO ? 0x80 : 0));
	p[8] = p[9] = p[10] = 0;
	return 0;
}

static __always_inline __u16 fold_sum(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

// put_checksum writes the checksum of a UDP packet. sum is that of the addresses, in words of 32 bits; length is that of
// header and payload. What came in cannot be updated: over veth it is unfinished.
static __always_inline int put_checksum(struct udphdr *udp, void *end, __u32 length, __u64 sum)
{
	__u8 *p = (__u8 *)udp;

	sum += bpf_htons(length) + bpf_htons(IPPROTO_UDP);
	udp->check = 0;
	for (int i = 0; i < (8 + DNS_HEADER + NAME_WORDS * 8 + QUESTION_TAIL + BODY_DATA + OPT_LENGTH) / 8 + 1; i++) {
		__u8 *at = p + i * 8;

		if (i * 8 + 8 > length)
			break;
		if ((void *)(at + 8) > end)
			return -1;
		sum += (__u64)*(__u32 *)at + *(__u32 *)(at + 4);
	}
	if (length & 7) {
		__u32 last = length - 8;
		__u8 *at = p;
		__u64 word;

		barrier_var(last);
		at += last;
		if ((void *)(at + 8) > end)
			return -1;
		word = *(__u64 *)at >> (64 - 8 * (length & 7));
		sum += (__u32)word + (word >> 32);
	}
	udp->check = fold_sum(sum);
	if (!udp->check) // RFC 768: 0 is "none"
		udp->check = 0xffff;
	return 0;
}

// turn4 writes whole words: loads that follow narrower stores to their words would stall. It returns the sum of the
// addresses, as turn6 does.
static __always_inline __u64 turn4(struct iphdr *ip, __u32 length)
{
	__u32 *word = (__u32 *)ip;
	__u32 head = bpf_htonl(0x45000000 | (sizeof *ip + length)); // version, no options; length
	__u32 id = word[1] & bpf_htonl(0xffff0000);		    // not a fragment
	__u32 ttl = bpf_htonl(64 << 24 | IPPROTO_UDP << 16);
	__u32 src = ip->saddr, dst = ip->daddr;
	__u64 addresses = (__u64)src + dst;
	__u16 sum = fold_sum(addresses + head + id + ttl);

	word[0] = head;
	word[1] = id;
	word[2] = ttl | (__u32)sum << 16; // the last two octets in memory
	word[3] = dst;
	word[4] = src;
	return addresses;
}

static __always_inline __u64 turn6(struct ipv6hdr *ip, __u32 length)
{
	__u64 *addr = (__u64 *)&ip->saddr;
	__u64 sum = 0, swap;

	for (int i = 0; i < 4; i++)
		sum += (__u32)addr[i] + (addr[i] >> 32);
	swap = addr[0], addr[0] = addr[2], addr[2] = swap;
	swap = addr[1], addr[1] = addr[3], addr[3] = swap;
	*(__be32 *)ip = bpf_htonl(0x60000000);
	ip->payload_len = bpf_htons(length);
	ip->hop_limit = 64;
	return sum;
}

// turn sends the packet, whose UDP payload is a whole response of so many octets, back to its sender.
__noinline int turn(struct xdp_md *ctx, struct query *q, __u32 payload)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	__u32 length = sizeof(struct udphdr) + payload;
	__u16 *half = data; // of a MAC address: struct ethhdr is packed, and would be copied octet by octet
	struct udphdr *udp;
	__u32 ports;
	__u16 swap;

	if (!q || payload > 1024)
		return -1;
	udp = data + (q->udp & 127);
	if ((void *)(eth + 1) > end || (void *)(udp + 1) > end)
		return -1;
	swap = half[0], half[0] = half[3], half[3] = swap;
	swap = half[1], half[1] = half[4], half[4] = swap;
	swap = half[2], half[2] = half[5], half[5] = swap;
	ports = *(__u32 *)udp;
	*(__u32 *)udp = ports << 16 | ports >> 16;
	udp->len = bpf_htons(length);
	if (q->v6) {
		struct ipv6hdr *ip = data + (q->ip & 63);

		if ((void *)(ip + 1) > end)
			return -1;
		return put_checksum(udp, end, length, turn6(ip, length));
	}
	struct iphdr *ip = data + (q->ip & 63);

	if ((void *)(ip + 1) > end)
		return -1;
	return put_checksum(udp, end, length, turn4(ip, length));
}

#endif
