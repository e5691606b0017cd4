package admin

import (
	"log/slog"
	"net"

	"golang.org/x/sys/unix"
)

// peerOf tells who has connected to a Unix socket, by the kernel's word: the user and the process.
func peerOf(c *net.UnixConn) slog.Attr {
	raw, err := c.SyscallConn()
	if err != nil {
		return slog.String("uid", "unknown")
	}
	var cred *unix.Ucred
	if e := raw.Control(func(fd uintptr) { cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); e != nil || err != nil {
		return slog.String("uid", "unknown")
	}
	return slog.GroupAttrs("", slog.Uint64("uid", uint64(cred.Uid)), slog.Int("pid", int(cred.Pid)))
}
