// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Hot answers. What leaves here is octet for octet what tier 1 would have sent.
#ifndef HEIMDALL_ANSWER_H
#define HEIMDALL_ANSWER_H

#include "name.h"
#include "nominate.h"
#include "order.h"
#include "reply.h"

// now_seconds is the shards' clock.
static __always_inline __u32 now_seconds(void)
{
	return (bpf_ktime_get_coarse_ns() - epoch) / 1000000000;
}

// find returns the place that has a key, or null. All four are loaded before the first is compared, so that
// their misses overlap.
static __always_inline struct answer *find(__u64 key)
{
	__u32 i0 = key & places, i1 = i0 ^ 1, i2 = key >> 32 & places, i3 = i2 ^ 1;
	struct answer *a0 = bpf_map_lookup_elem(&answers, &i0), *a1 = bpf_map_lookup_elem(&answers, &i1);
	struct answer *a2 = bpf_map_lookup_elem(&answers, &i2), *a3 = bpf_map_lookup_elem(&answers, &i3);
	__u64 k0, k1, k2, k3;

	if (!a0 || !a1 || !a2 || !a3)
		return 0;
	k0 = *(volatile __u64 *)&a0->key, k1 = *(volatile __u64 *)&a1->key;
	k2 = *(volatile __u64 *)&a2->key, k3 = *(volatile __u64 *)&a3->key;
	if (k0 == key)
		return a0;
	if (k1 == key)
		return a1;
	if (k2 == key)
		return a2;
	return k3 == key ? a3 : 0;
}

// same tells whether the answer is to what the query asks.
static __always_inline int same(struct query *q, struct answer *a)
{
	__u64 *name = (__u64 *)a->data, differ = 0;

	if (a->qlen != q->qlen || a->type != q->type || a->bits != q->bits)
		return 0;
	for (int i = 0; i < NAME_WORDS; i++) {
		if (i * 8 >= q->qlen)
			break;
		differ |= name[i] ^ q->name[i];
	}
	return !differ;
}

// put_records copies length octets from data, which has room octets, to offset to of the packet. No record is
// shorter than eight octets: the last eight may overlap the words before.
static __always_inline int put_records(struct xdp_md *ctx, __u32 to, const __u8 *data, __u32 from, const __u32 room, __u32 length)
{
	__u8 *p = (void *)(long)ctx->data + (to & 255);
	void *end = (void *)(long)ctx->data_end;

	for (__u32 i = 0; i < room / 8; i++) {
		__u32 at = from + i * 8;

		if (i * 8 + 8 > length)
			break;
		barrier_var(at); // what is compared is what is added: the verifier of Linux 6.1 knows no more of it
		if (at > room - 8 || (void *)(p + i * 8 + 8) > end)
			return -1;
		*(__u64 *)(p + i * 8) = *(__u64 *)(data + at);
	}
	if (length & 7) {
		__u32 last = length - 8, at = from + last;

		barrier_var(at);
		if (last > room - 8 || at > room - 8)
			return -1;
		p += last;
		if ((void *)(p + 8) > end)
			return -1;
		*(__u64 *)p = *(__u64 *)(data + at);
	}
	return 0;
}

// put_ttl writes a TTL, less its age, to its place. It is read from the map: the packet has just been written to
// in words that it may straddle, and the load would stall.
static __always_inline int put_ttl(struct xdp_md *ctx, __u32 to, const __u8 *data, __u32 from, const __u32 room, __u32 off, __u32 age)
{
	__u8 *p = (void *)(long)ctx->data + (to & 255) + (off & 511);
	__u32 at = from + off, ttl;

	barrier_var(at);
	if (at > room - 4 || (void *)(p + 4) > (void *)(long)ctx->data_end)
		return -1;
	ttl = bpf_ntohl(*(__be32 *)(data + at));
	*(__be32 *)p = bpf_htonl(ttl > age ? ttl - age : 0);
	return 0;
}

static __always_inline int put_inline(struct xdp_md *ctx, __u32 to, struct answer *a, __u32 age)
{
	__u32 from = (a->qlen + 7) & 0x78;

	if (put_records(ctx, to, a->data, from, INLINE_DATA, a->length))
		return -1;
	for (int i = 0; i < INLINE_TTLS; i++) {
		if (i >= a->ttls)
			break;
		if (put_ttl(ctx, to, a->data, from, INLINE_DATA, a->ttl[i], age))
			return -1;
	}
	return 0;
}

// body_of returns the number of an answer's body.
static __always_inline __u64 body_of(struct answer *a)
{
	return *(__u64 *)(a->data + INLINE_DATA - 8);
}

__noinline int put_body(struct xdp_md *ctx, __u32 to, __u64 number, __u32 length, __u32 age)
{
	struct body *b = bpf_map_lookup_elem(&bodies, &number);

	if (!b || put_records(ctx, to, b->data, 0, BODY_DATA, length))
		return -1;
	for (int i = 0; i < BODY_TTLS; i++) {
		if (i >= b->ttls)
			break;
		if (put_ttl(ctx, to, b->data, 0, BODY_DATA, b->ttl[i], age))
			return -1;
	}
	barrier();
	return *(volatile __u64 *)&b->number == number ? 0 : -1;
}

// resize makes the UDP payload so many octets long.
static __always_inline int resize(struct xdp_md *ctx, struct query *q, __u32 payload)
{
	long have = (void *)(long)ctx->data_end - (void *)(long)ctx->data;
	int more;

	barrier_var(have); // pointers must be subtracted in 64 bits
	more = q->udp + sizeof(struct udphdr) + payload - have;
	return more ? bpf_xdp_adjust_tail(ctx, more) : 0;
}

static __always_inline int put_header(struct xdp_md *ctx, struct query *q, __u32 flags, __u32 an, __u32 ns, __u32 ar)
{
	struct dnshdr *dns = (void *)(long)ctx->data + (q->udp & 127) + sizeof(struct udphdr);

	if ((void *)(dns + 1) > (void *)(long)ctx->data_end)
		return -1;
	dns->flags = bpf_htons(flags | (q->flags & (FLAG_RD | FLAG_CD)));
	dns->an = bpf_htons(an);
	dns->ns = bpf_htons(ns);
	dns->ar = bpf_htons(ar + q->edns);
	return 0;
}

// put_back makes the packet the query again that it was before an answer was copied into it: a shard answers it.
__noinline enum exit put_back(struct xdp_md *ctx, struct query *q)
{
	struct dnshdr *dns;
	__u32 question;
	void *end;
	__u8 *p;

	if (!q)
		return DROP_TORN;
	question = DNS_HEADER + q->qlen + QUESTION_TAIL;
	if (resize(ctx, q, question + (q->edns ? OPT_LENGTH : 0)))
		return DROP_TORN;
	dns = (void *)(long)ctx->data + (q->udp & 127) + sizeof(struct udphdr);
	end = (void *)(long)ctx->data_end;
	if ((void *)(dns + 1) > end)
		return DROP_TORN;
	dns->flags = bpf_htons(q->flags);
	dns->an = dns->ns = 0;
	dns->ar = bpf_htons(q->edns);
	if (!q->edns)
		return PASS_TORN;
	p = (__u8 *)dns + (question & 511);
	if ((void *)(p + OPT_LENGTH) > end)
		return DROP_TORN;
	p[0] = p[9] = p[10] = 0;
	*(__u64 *)(p + 1) = q->opt;
	return PASS_TORN;
}

// answer sends a hot answer, if there is one for the query.
__noinline enum exit answer(struct xdp_md *ctx, struct query *q, __u32 who)
{
	__u32 now, age, serial, records, question, to, length, flags;
	struct answer *a;

	if (!q)
		return PASS_FRAME;
	if (!answers_on)
		return PASS_DISABLED;
	if (q->qlen > NAME_WORDS * 8)
		return PASS_LONG_NAME;
	a = find(q->key);
	if (!a)
		return missing(q);
	serial = *(volatile __u32 *)&a->serial;
	read_barrier(); // what follows is read after the serial
	if (!serial || !same(q, a))
		return missing(q);
	now = now_seconds();
	if (a->generation != generation)
		return outdated(q, a, now, PASS_FLUSHED);
	if (now >= a->expires)
		return outdated(q, a, now, PASS_EXPIRED);
	if (!(a->marks & MARK_OPEN) && !(who & CLIENT_ASK))
		return PASS_CLIENT;
	if (now >= a->refresh && a->passed != now)
		return outdated(q, a, now, PASS_REFRESH);
	records = a->length & 1023;
	question = DNS_HEADER + q->qlen + QUESTION_TAIL;
	length = question + records + (q->edns ? OPT_LENGTH : 0);
	if (length > q->limit)
		return PASS_SIZE;
	if (resize(ctx, q, length))
		return PASS_TAIL;
	to = q->udp + sizeof(struct udphdr) + question;
	age = now > a->stored ? now - a->stored : 0; // this clock may lag behind the shards'
	if (a->marks & MARK_BESIDE ? put_body(ctx, to, body_of(a), records, age) : put_inline(ctx, to, a, age))
		return put_back(ctx, q);
	if (q->edns && put_opt((void *)(long)ctx->data + (to & 255) + records, (void *)(long)ctx->data_end, q))
		return put_back(ctx, q);
	flags = a->flags | (who & CLIENT_ASK ? FLAG_RA : 0);
	if (a->marks & MARK_AD && (q->bits & BIT_DO || q->flags & FLAG_AD)) // RFC 6840, section 5.8
		flags |= FLAG_AD;
	if (put_header(ctx, q, flags, a->counts[0], a->counts[1], a->counts[2]))
		return put_back(ctx, q);
	// So that the coldest can be found. Hot entries are written to once a second: a counter would have each
	// response write to a line that all CPUs read.
	if (a->used != now)
		a->used = now;
	read_barrier(); // and all of it before the serial is read again
	if (*(volatile __u32 *)&a->serial != serial)
		return put_back(ctx, q);
	return turn(ctx, q, length) ? DROP_TORN : SEND_ANSWER;
}

// slip answers a query beyond the rate with nothing but TC.
__noinline enum exit slip(struct xdp_md *ctx, struct query *q)
{
	__u32 question, length;

	if (!q)
		return DROP_LIMIT;
	question = DNS_HEADER + q->qlen + QUESTION_TAIL;
	length = question + (q->edns ? OPT_LENGTH : 0);
	if (resize(ctx, q, length) || put_header(ctx, q, FLAG_QR | FLAG_TC, 0, 0, 0))
		return DROP_LIMIT;
	if (q->edns && put_opt((void *)(long)ctx->data + (q->udp & 127) + sizeof(struct udphdr) + (question & 511), (void *)(long)ctx->data_end, q))
		return DROP_LIMIT;
	return turn(ctx, q, length) ? DROP_LIMIT : SEND_SLIP;
}

#endif
