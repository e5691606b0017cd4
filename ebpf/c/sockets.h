// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// AF_XDP: what is passed and is DNS goes to the socket of the queue that it came on, if there is one.
#ifndef HEIMDALL_SOCKETS_H
#define HEIMDALL_SOCKETS_H

#include "state.h"

enum {
	// The longest frame that a socket takes: 2,048 octets less the headroom that the kernel keeps in each
	// (XDP_PACKET_HEADROOM). It would drop longer ones.
	SOCKET_FRAME = 2048 - 256,
};

// to_socket returns the verdict for a query that is passed. A queue without a socket leaves it to the kernel's stack:
// that is what the flags of the redirect say.
static __always_inline int to_socket(struct xdp_md *ctx)
{
	if (ctx->data_end - ctx->data > SOCKET_FRAME)
		return XDP_PASS;
	for (__u32 i = 0; i < INTERFACES && i < interface_count; i++) {
		if (interfaces[i].index != ctx->ingress_ifindex)
			continue;
		if (ctx->rx_queue_index >= interfaces[i].queues)
			return XDP_PASS;
		return bpf_redirect_map(&sockets, interfaces[i].first + ctx->rx_queue_index, XDP_PASS);
	}
	return XDP_PASS;
}

#endif
