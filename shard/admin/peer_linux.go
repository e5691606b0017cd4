package admin

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// peer is who has connected to a Unix socket, by the kernel's word.
type peer struct {
	slog.Attr      // the user and the process
	owner     bool // of the daemon: root, or the user that it runs as
}

// peerOf tells who has connected to a Unix socket: the user and the process, with their names where they are known.
func peerOf(c *net.UnixConn, names users) peer {
	raw, err := c.SyscallConn()
	if err != nil {
		return peer{Attr: slog.String("uid", "unknown")}
	}
	var cred *unix.Ucred
	if e := raw.Control(func(fd uintptr) { cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); e != nil || err != nil {
		return peer{Attr: slog.String("uid", "unknown")}
	}
	attrs := []slog.Attr{slog.Uint64("uid", uint64(cred.Uid))}
	if name, ok := names[cred.Uid]; ok {
		attrs = append(attrs, slog.String("user", name))
	}
	attrs = append(attrs, slog.Int("pid", int(cred.Pid)))
	// The process names itself, and may have ended. Where /proc hides others' processes, it has no name.
	if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", cred.Pid)); err == nil {
		attrs = append(attrs, slog.String("process", strings.TrimSuffix(string(name), "\n")))
	}
	return peer{slog.GroupAttrs("", attrs...), cred.Uid == 0 || int(cred.Uid) == os.Geteuid()}
}
