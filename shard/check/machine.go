package check

import (
	"errors"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"syscall"

	"heimdall/core/config"
	"heimdall/shard/admin"
	"heimdall/shard/anchors"
	"heimdall/shard/diskfile"
	"heimdall/shard/listen"
	"heimdall/shard/tap"
)

// Machine finds what start-up would find on this machine beyond Config: addresses and ports that it cannot have, and a
// place where no admin socket can be. If a daemon of this configuration runs, as its admin socket says, what it has open is
// no fault and is not touched. Warnings are about what start-up can do without.
func Machine(c *config.Config) (warnings []string, err error) {
	running := admin.FindRunning(c.Admin.Socket)
	present := listen.Present(c.Server.Listen, c.Server.FreeBind)
	var errs []error
	for i, addr := range c.Server.Listen {
		if !slices.Contains(present, addr) || running.Listens(addr) {
			continue
		}
		if err := listen.Check(addr, c.FreeBind(addr.Addr())); err != nil && !(running.Holds(addr) && errors.Is(err, syscall.EADDRINUSE)) {
			errs = append(errs, c.Problem(config.Element("server.listen", i), "%v", err))
		}
	}
	for key, addr := range map[string]netip.AddrPort{"admin.metrics": c.Admin.Metrics, "admin.web": c.Admin.Web} {
		if !addr.IsValid() || running != nil {
			continue
		}
		if l, err := net.Listen("tcp", addr.String()); err != nil {
			errs = append(errs, c.Problem(key, "%v", listen.Advise(err, addr)))
		} else {
			l.Close()
		}
	}
	if running == nil {
		if err := admin.CheckSocket(c.Admin.Socket); err != nil {
			errs = append(errs, c.Problem("admin.socket", "%v", err))
		}
	}
	return optional(c), errors.Join(errs...)
}

// optional finds what start-up would warn of and go on without.
func optional(c *config.Config) (warnings []string) {
	warn := func(key, format string, args ...any) {
		warnings = append(warnings, c.Problem(key, format, args...).Error())
	}
	if c.XDP.Mode != "off" {
		for i, name := range c.XDP.Interfaces {
			if _, err := net.InterfaceByName(name); err != nil {
				warn(config.Element("xdp.interfaces", i), "there is no interface %s: the XDP program does not run there; `ip -br link` lists those there are", name)
			}
		}
	}
	if file := c.Recursion.TrustAnchorState; file != "" && c.Recursion.Validation {
		if err := diskfile.Writable(filepath.Dir(file)); err != nil {
			warn("recursion.trust_anchor_state", "the state cannot be stored in %s: %v; give the daemon's user the right to write there", filepath.Dir(file), err)
		}
		if err := anchors.CheckState(file); err != nil {
			warn("recursion.trust_anchor_state", "%v; the update begins anew", err)
		}
	}
	if file := c.Cache.File; file != "" {
		if err := diskfile.Writable(filepath.Dir(file)); err != nil {
			warn("cache.file", "the caches cannot be kept in %s: %v; give the daemon's user the right to write there", filepath.Dir(file), err)
		}
		if c.Cache.Engine != "segment" {
			warn("cache.file", "cache.engine %q keeps nothing over a restart", c.Cache.Engine)
		}
	}
	if c.QueryLog.Enabled && c.QueryLog.File != "" {
		if err := tap.CheckFile(c.QueryLog.File); err != nil {
			warn("query_log.file", "nothing can be written there: %v", err)
		}
	}
	if network, path := c.Dnstap.Target(); network == "file" {
		if err := tap.CheckFile(path); err != nil {
			warn("dnstap.output", "nothing can be written there: %v", err)
		}
	}
	return warnings
}
