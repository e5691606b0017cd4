// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Tier 0: drops what is malformed, limits floods, answers the hottest names, passes everything else.
#include "stages.h"

SEC("xdp")
int heimdall(struct xdp_md *ctx)
{
	struct query q = {};

	return leave(ctx, decide(ctx, &q));
}

char _license[] SEC("license") = "Dual BSD/GPL";
