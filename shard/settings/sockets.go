package settings

import (
	"net/netip"
	"time"

	"heimdall/core/config"
	"heimdall/netio/outbound"
	"heimdall/netio/tcp"
	"heimdall/netio/udp"
	"heimdall/shard"
	"heimdall/shard/listen"
)

// Fitting is the configuration for this machine: without [::1] in server.listen where there is no IPv6, if another
// address is left. It is c itself if nothing has to go.
func Fitting(c *config.Config) *config.Config {
	list := listen.Present(c.Server.Listen, c.Server.FreeBind)
	if len(list) == len(c.Server.Listen) {
		return c
	}
	next := *c
	next.Server.Listen = list
	return &next
}

// DrainFor is how long a shard that was told to end waits at most for what is in flight. Who then still waits is
// told SERVFAIL.
const DrainFor = 10 * time.Second

// Shard is what a shard takes, whatever its number: without its sockets, its CPU, and what it works with.
func Shard(c *config.Config) shard.Options {
	return shard.Options{
		Addrs: c.Server.Listen, Pin: c.CPU.Pin, Batch: c.IO.Batch, Spin: c.IO.Spin,
		Waiters:  waiters(c),
		DrainFor: min(c.Resolver.Timeout+time.Second, DrainFor),
		TCP:      tcpOptions(c),
		Outbound: outboundOptions(c),
	}
}

// waiters is how many clients of a shard wait at most for what it resolves.
func waiters(c *config.Config) int { return c.Resolver.InFlight + c.Resolver.Waiting }

// UDP is what a shard's socket at a listen address takes.
func UDP(c *config.Config, addr netip.AddrPort) udp.Options {
	return udp.Options{
		Addr: addr, ReusePort: true, FreeBind: c.FreeBind(addr.Addr()), RcvBuf: int(c.Server.RcvBuf), SndBuf: int(c.Server.SndBuf), Batch: c.IO.Batch,
	}
}

// tcpOptions is what a shard's streams take.
func tcpOptions(c *config.Config) tcp.Options {
	return tcp.Options{
		MaxConns: c.TCP.MaxConnections, MaxPerClient: c.TCP.MaxPerClient, Idle: c.TCP.IdleTimeout,
		MaxPipelined: c.TCP.MaxPipelined, MaxQueued: int(c.TCP.MaxQueued), Unanswered: 2*c.Resolver.Timeout + 10*time.Second,
	}
}

// outboundOptions is what a shard's sockets towards other servers take.
func outboundOptions(c *config.Config) outbound.Options {
	return outbound.Options{
		Ports: c.Resolver.UpstreamPorts, Grace: c.Resolver.Timeout, RcvBuf: int(c.Server.RcvBuf), Rand: Random(),
		NoIPv4: !c.Recursion.IPv4, NoIPv6: !c.Recursion.IPv6,
	}
}
