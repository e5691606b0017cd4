package supervisor

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"

	"heimdall/core/config"
	"heimdall/netio/udp"
)

// CheckMachine finds what start-up would find on this machine beside what Check does: addresses that it does
// not have, and a place where no admin socket can be. It leaves alone what a running daemon has open.
func CheckMachine(c *config.Config) error {
	var errs []error
	for i, addr := range c.Server.Listen {
		errs = append(errs, checkAddress(c, config.Element("server.listen", i), addr))
	}
	if c.Admin.Metrics.IsValid() {
		errs = append(errs, checkAddress(c, "admin.metrics", c.Admin.Metrics))
	}
	return errors.Join(append(errs, checkSocket(c))...)
}

// checkAddress opens a socket at an address, at any port, for one at its own may be open already.
func checkAddress(c *config.Config, key string, addr netip.AddrPort) error {
	p, err := udp.Listen(udp.Options{Addr: netip.AddrPortFrom(addr.Addr(), 0), Batch: 1})
	if err != nil {
		return c.Problem(key, "%v", err)
	}
	return p.Close()
}

func checkSocket(c *config.Config) error {
	path := c.Admin.Socket
	if info, err := os.Stat(filepath.Dir(path)); err != nil {
		return c.Problem("admin.socket", "%v", err)
	} else if !info.IsDir() {
		return c.Problem("admin.socket", "%s is no folder", filepath.Dir(path))
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() != fs.ModeSocket {
		return c.Problem("admin.socket", "%s exists and is no socket", path)
	}
	return nil
}
