// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// The DNS message: header, question, OPT. What is dropped here core/wire.Query.Parse would drop or find
// malformed; where it would not, or where it is not clear, the packet is passed.
#ifndef HEIMDALL_QUESTION_H
#define HEIMDALL_QUESTION_H

#include "name.h"
#include "state.h"

// walk returns the length of the name at p, root included, or -1 if it is malformed or does not end in time.
static __always_inline int walk(__u8 *p, void *end)
{
	__u32 length = 0;

	// RFC 1035, section 2.3.4: 255 octets, hence 127 labels and the root.
	for (int i = 0; i < 128; i++) {
		__u8 *at = p + length;
		__u32 label;

		if ((void *)(at + 1) > end)
			return -1;
		label = *at;
		length += label + 1;
		if (!label)
			return length;
		if (label > 63 || length > 254)
			return -1;
	}
	return -1;
}

// scatter spreads what differs in few bits over all, one to one.
static __always_inline __u64 scatter(__u64 key)
{
	key = (key ^ key >> 32) * end_keys[4];
	key = (key ^ key >> 29) * end_keys[5];
	return key ^ key >> 32;
}

// fold lower-cases the name at p into the query, and hashes it with type and bits.
static __always_inline int fold(__u8 *p, void *end, __u32 length, struct query *q)
{
	__u64 asked = (__u64)q->type << 8 | q->bits;
	__u64 high = end_keys[0] + end_keys[2] * asked, low = end_keys[1] + end_keys[3] * asked;
	__u32 i;

#pragma unroll
	for (i = 0; i < NAME_WORDS; i++) {
		__u8 *at = p + i * 8;
		__u64 word;

		if (i * 8 + 8 > length)
			break;
		if ((void *)(at + 8) > end)
			return -1;
		word = lower8(*(__u64 *)at);
		q->name[i] = word;
		high += term(word_keys[i], word);
		low += term(word_keys[i] + 2, word);
	}
	if (length & 7 && i < NAME_WORDS) {
		__u8 *at = p - 8; // in the header at the earliest
		__u64 word;

		barrier_var(at);
		at += length;
		if ((void *)(at + 8) > end)
			return -1;
		word = last_word(*(__u64 *)at, length);
		q->name[i] = word;
		high += term(word_keys[i], word);
		low += term(word_keys[i] + 2, word);
	}
	q->key = scatter((high & 0xffffffff00000000) | low >> 32);
	return 0;
}

// opt reads the additional section: one OPT without options, or nothing.
static __always_inline int opt(__u8 *p, void *end, __u32 left, __u32 records, struct query *q)
{
	__u32 size;

	q->limit = 512;
	if (!records)
		return left ? DROP_TRAILING : GO_ON;
	if (left < OPT_LENGTH) // the least that a record takes
		return DROP_RECORD;
	if (records != 1 || (void *)(p + OPT_LENGTH) > end || p[0] || *(__be16 *)(p + 1) != bpf_htons(41))
		return PASS_RECORDS;
	if (bpf_ntohs(*(__be16 *)(p + 9)) != left - OPT_LENGTH)
		return DROP_RECORD;
	if (p[6])
		return PASS_VERSION;
	if (left != OPT_LENGTH)
		return PASS_OPTIONS;
	size = bpf_ntohs(*(__be16 *)(p + 3));
	if (size > udp_payload)
		size = udp_payload;
	if (size > 512) // RFC 6891, section 6.2.3
		q->limit = size;
	q->edns = 1;
	q->opt = *(__u64 *)(p + 1);
	if (p[7] & 0x80)
		q->bits |= BIT_DO;
	return GO_ON;
}

__noinline enum exit question(struct xdp_md *ctx, struct query *q)
{
	void *end = (void *)(long)ctx->data_end;
	struct dnshdr *dns;
	__u32 left;
	int length, exit;
	__u8 *p;

	if (!q)
		return PASS_FRAME;
	if (q->payload < sizeof *dns)
		return DROP_SHORT;
	dns = (void *)(long)ctx->data + (q->udp & 127) + sizeof(struct udphdr);
	if ((void *)(dns + 1) > end)
		return PASS_FRAME;
	q->flags = bpf_ntohs(dns->flags);
	if (q->flags & FLAG_QR)
		return DROP_RESPONSE;
	if (q->flags & FLAG_OPCODE)
		return PASS_OPCODE;
	if (dns->qd != bpf_htons(1) || dns->an || dns->ns)
		return DROP_COUNTS;
	if (q->flags & FLAG_CD)
		q->bits |= BIT_CD;

	p = (__u8 *)(dns + 1);
	length = walk(p, end);
	if (length < 1 || length > 255 || DNS_HEADER + length + QUESTION_TAIL > q->payload)
		return DROP_NAME;
	left = q->payload - (DNS_HEADER + length + QUESTION_TAIL);
	exit = opt(p + length + QUESTION_TAIL, end, left, bpf_ntohs(dns->ar), q);
	if (exit)
		return exit;
	if ((void *)(p + length + QUESTION_TAIL) > end)
		return PASS_FRAME;
	q->type = *(__be16 *)(p + length);
	if (*(__be16 *)(p + length + 2) != bpf_htons(1))
		return PASS_CLASS;
	q->qlen = length;
	if (length > NAME_WORDS * 8)
		return GO_ON; // without a hash: there is no hot answer
	return fold(p, end, length, q) ? PASS_FRAME : GO_ON;
}

#endif
