package shard

import (
	"errors"
	"syscall"
	"testing"

	"heimdall/core/resolver"
	"heimdall/netio/outbound"
)

func TestObstacles(t *testing.T) {
	for err, want := range map[error]resolver.Obstacle{
		nil:                    resolver.NoObstacle,
		syscall.ENETUNREACH:    resolver.NoRoute,
		syscall.EHOSTUNREACH:   resolver.NoRoute,
		syscall.EADDRNOTAVAIL:  resolver.NoRoute,
		syscall.EAFNOSUPPORT:   resolver.NoRoute,
		syscall.EACCES:         resolver.Forbidden, // a prohibit route
		syscall.EPERM:          resolver.Forbidden, // a firewall
		syscall.EINVAL:         resolver.Forbidden, // a blackhole route
		syscall.EMFILE:         resolver.Busy,
		syscall.ENOBUFS:        resolver.Busy,
		outbound.ErrLimit:      resolver.Busy,
		errors.New("whatever"): resolver.Forbidden,
	} {
		if got := obstacle(err); got != want {
			t.Errorf("%v: %d, want %d", err, got, want)
		}
	}
}
