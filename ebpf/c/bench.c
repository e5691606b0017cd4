// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// The program for the kernel's test runner, which gives each run the packet that the last one has left: it
// makes a query again of what it has answered.
#include "stages.h"

const volatile __u32 names; // ask for a random one of names h00000 to h99999 each time; 0: for the same

SEC("xdp")
int bench(struct xdp_md *ctx)
{
	struct query q = {};
	int verdict = leave(ctx, decide(ctx, &q));
	__u32 payload = DNS_HEADER + q.qlen + QUESTION_TAIL + (q.edns ? OPT_LENGTH : 0), n;
	__u8 *p;

	if (verdict != XDP_TX || resize(ctx, &q, payload) || put_header(ctx, &q, 0, 0, 0, 0) || turn(ctx, &q, payload))
		return verdict;
	p = (void *)(long)ctx->data + (q.udp & 127) + sizeof(struct udphdr) + DNS_HEADER;
	if (names && (void *)(p + 7) <= (void *)(long)ctx->data_end) {
		n = (__u64)bpf_get_prandom_u32() * names >> 32;
		for (int i = 6; i > 1; i--, n /= 10)
			p[i] = '0' + n % 10;
	}
	p += q.qlen + QUESTION_TAIL;
	if (q.edns)
		put_opt(p, (void *)(long)ctx->data_end, &q);
	return verdict;
}

char _license[] SEC("license") = "Dual BSD/GPL";
