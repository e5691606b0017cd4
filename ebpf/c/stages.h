// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// The order of the stages.
#ifndef HEIMDALL_STAGES_H
#define HEIMDALL_STAGES_H

#include "link.h"
#include "question.h"
#include "client.h"
#include "answer.h"
#include "reverse.h"
#include "sockets.h"

// decide takes a packet through the stages to its exit.
static __always_inline enum exit decide(struct xdp_md *ctx, struct query *q)
{
	enum exit exit;
	__u32 who;
	int over;

	exit = locate(ctx, q);
	if (exit)
		return exit;
	who = permission(q);
	if (who & CLIENT_DENY)
		return DROP_DENIED;
	exit = question(ctx, q);
	if (exit >= DROP_SHORT)
		return (exit == DROP_TRAILING || exit == DROP_RECORD) && merges(ctx) ? PASS_MERGED : exit;
	over = limit_interval && !(who & CLIENT_EXEMPT) && limited(q);
	if (over && (exit || !limit_slip || bpf_get_prandom_u32() % limit_slip))
		return DROP_LIMIT;
	if (reverse_path && astray(ctx, q))
		return PASS_REVERSE_PATH;
	if (over)
		return slip(ctx, q);
	if (exit)
		return exit;
	return answer(ctx, q, who);
}

// leave counts the exit and returns the verdict.
static __always_inline int leave(struct xdp_md *ctx, enum exit exit)
{
	__u32 key = exit;
	__u64 *count = bpf_map_lookup_elem(&exits, &key);

	if (count)
		*count += 1;
	if (exit >= PASS_OPCODE && exit < DROP_SHORT)
		return to_socket(ctx);
	if (exit < DROP_SHORT)
		return XDP_PASS;
	return exit < SEND_ANSWER ? XDP_DROP : send_back(ctx);
}

#endif
