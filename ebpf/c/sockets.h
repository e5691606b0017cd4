// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// What depends on the interface that a packet came on: the AF_XDP socket of its queue, for what is passed and is DNS,
// and the way back.
#ifndef HEIMDALL_SOCKETS_H
#define HEIMDALL_SOCKETS_H

#include "state.h"

enum {
	// The longest frame that a socket takes: 2,048 octets less the headroom that the kernel keeps in each
	// (XDP_PACKET_HEADROOM). It would drop longer ones.
	SOCKET_FRAME = 2048 - 256,
};

// interface_of returns what is known of the interface that a packet came on; NULL: nothing.
static __always_inline struct interface *interface_of(struct xdp_md *ctx)
{
	for (__u32 i = 0; i < INTERFACES && i < interface_count; i++)
		if (interfaces[i].index == ctx->ingress_ifindex)
			return &interfaces[i];
	return 0;
}

// merges tells whether the kernel may have merged what came on the interface: behind the driver, where the program runs in
// generic mode, it does so for datagrams of one flow and one length (rx-udp-gro-forwarding), or has not parted what a veth pair
// brings from a sender that segments late (UDP_SEGMENT). The stack parts them.
static __always_inline int merges(struct xdp_md *ctx)
{
	struct interface *at = interface_of(ctx);

	return at && at->generic;
}

// to_socket returns the verdict for a query that is passed. A queue without a socket leaves it to the kernel's stack:
// that is what the flags of the redirect say.
static __always_inline int to_socket(struct xdp_md *ctx)
{
	struct interface *at;

	if (ctx->data_end - ctx->data > SOCKET_FRAME)
		return XDP_PASS;
	at = interface_of(ctx);
	if (!at || ctx->rx_queue_index >= at->queues)
		return XDP_PASS;
	return bpf_redirect_map(&sockets, at->first + ctx->rx_queue_index, XDP_PASS);
}

// send_back returns the verdict for a packet that goes out where it came in. The driver of veth wakes the other end of
// the pair for what comes by XDP_TX only if there is an XDP program too (veth_xdp_flush), but for a redirect always.
static __always_inline int send_back(struct xdp_md *ctx)
{
	struct interface *at = interface_of(ctx);

	return at && at->veth ? bpf_redirect(ctx->ingress_ifindex, 0) : XDP_TX;
}

#endif
