package admin

import (
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"heimdall/core/control"
	"heimdall/shard/diskfile"
	"heimdall/shard/worker"
)

// CheckSocket finds what keeps the control socket from being opened.
func CheckSocket(path string) error {
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil {
		return err
	} else if !info.IsDir() {
		return fmt.Errorf("%s is no folder", dir)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s exists and is no socket", path)
	}
	if err := diskfile.Writable(dir); err != nil {
		return fmt.Errorf("no socket can be made in %s: %v; give the daemon's user the right to write there, or choose another folder", dir, err)
	}
	return nil
}

// Running is what the daemon at an admin socket says of itself; nil: none runs there.
type Running struct {
	listen []netip.AddrPort
}

// Listens tells whether the daemon has an address open.
func (r *Running) Listens(addr netip.AddrPort) bool {
	return r != nil && slices.Contains(r.listen, addr)
}

// Holds tells whether the daemon is at an address's port, so that what is in its way there may be the daemon's.
func (r *Running) Holds(addr netip.AddrPort) bool {
	return r != nil && slices.ContainsFunc(r.listen, func(a netip.AddrPort) bool { return a.Port() == addr.Port() })
}

// FindRunning asks who listens at an admin socket.
func FindRunning(path string) *Running {
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err != nil {
		return nil
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(worker.CommandTime))
	st, err := control.NewClient(conn).Status()
	if err != nil {
		return nil
	}
	r := new(Running)
	for _, text := range st.Listen {
		if a, err := netip.ParseAddrPort(text); err == nil {
			r.listen = append(r.listen, a)
		}
	}
	return r
}
