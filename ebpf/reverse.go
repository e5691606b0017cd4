package ebpf

import (
	"io/fs"
	"strings"
)

// NotForwarding lists the kernel's settings without which the program finds no way back to a client. root is the root
// of the file system. A family that the kernel does not have is left out.
func NotForwarding(root fs.FS) (off []string) {
	for _, name := range []string{"net.ipv4.conf.lo.forwarding", "net.ipv6.conf.lo.forwarding"} {
		value, err := fs.ReadFile(root, "proc/sys/"+strings.ReplaceAll(name, ".", "/"))
		if err == nil && strings.TrimSpace(string(value)) == "0" {
			off = append(off, name)
		}
	}
	return off
}

// ForwardCommand is the command that sets them.
func ForwardCommand(off []string) string {
	return "sysctl -w " + strings.Join(off, "=1 ") + "=1"
}
