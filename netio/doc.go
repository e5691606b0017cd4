// Package netio is the contract between a shard and the sources of its packets:
// datagrams in batches, the ports they come from, and the poller that tells a
// shard which descriptor has work.
//
// It never parses DNS. The ports themselves live in the packages below (udp, xsk,
// tcp, outbound, netiotest), all of which use the types defined here.
package netio

import "errors"

// ErrNotSupported is wrapped by every error that means this system, kernel or
// permission set lacks a facility, so that callers can fall back and tests can skip.
var ErrNotSupported = errors.New("not supported by this system")
