package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Service is the service address of a [Fleet].
const Service = "192.0.2.53"

// Fleet is two daemons that serve the same address, each behind a routing daemon, and a client behind a router:
//
//	              +-- a: heimdalld, BIRD   preferred while it is there
//	client -- router: BIRD
//	              +-- b: heimdalld, BIRD
//
// The routing daemons speak BGP, with BFD three times in 300 ms.
type Fleet struct {
	dir     string
	client  namespace
	router  namespace
	bird    *daemon
	members [2]*Member
	stream  *stream
}

// Member is one of the servers of a [Fleet].
type Member struct {
	Name   string // "a" or "b", which it tells in its answers
	fleet  *Fleet
	space  namespace
	addr   string // towards the router
	binary string
	bird   *daemon
	daemon *daemon // heimdalld, as it was started last
	pid    int     // of the one that serves
}

// ErrNoBIRD is returned by NewFleet where there is no BIRD.
var ErrNoBIRD = errors.New("BIRD is missing: apt-get install bird2, and stop the service that this starts")

// NewFleet makes a fleet of the given binary of heimdalld, beside which there is heimdallctl, and returns when the client has
// answers and the router two ways. Takes root.
func NewFleet(ctx context.Context, binary string) (f *Fleet, err error) {
	if os.Geteuid() != 0 {
		return nil, ErrNotRoot
	}
	if findBIRD("bird") == "" {
		return nil, ErrNoBIRD
	}
	f = new(Fleet)
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
			f = nil
		}
	}()
	if f.dir, err = os.MkdirTemp("", "heimdall-fleet-"); err != nil {
		return f, fmt.Errorf("make a folder: %w", err)
	}
	unique := fmt.Sprintf("heimdall-fleet-%d-%s", os.Getpid(), f.dir[len(f.dir)-4:])
	f.client, f.router = namespace(unique+"-c"), namespace(unique+"-r")
	for i, name := range []string{"a", "b"} {
		f.members[i] = &Member{Name: name, fleet: f, space: namespace(unique + "-" + name), addr: fmt.Sprintf("10.99.%d.2", i+1), binary: binary}
	}
	if err := f.connect(); err != nil {
		return f, err
	}
	if f.bird, err = f.startBIRD(f.router, "router", routerConfig(f.members[0].addr, f.members[1].addr)); err != nil {
		return f, err
	}
	for _, m := range f.members {
		if m.bird, err = f.startBIRD(m.space, m.Name, m.birdConfig()); err != nil {
			return f, err
		}
		if err := m.configure(); err != nil {
			return f, err
		}
		if err := m.Start(); err != nil {
			return f, err
		}
	}
	if f.stream, err = f.client.stream(Service + ":53"); err != nil {
		return f, err
	}
	return f, f.Whole(ctx)
}

// connect makes the namespaces and their links.
func (f *Fleet) connect() error {
	if err := ip("netns add "+string(f.client), "netns add "+string(f.router)); err != nil {
		return err
	}
	links := []string{fmt.Sprintf("link add to-client netns %s type veth peer name uplink netns %s", f.router, f.client)}
	at := []string{"link set lo up", "addr add 10.99.0.1/24 dev to-client", "link set to-client up"}
	for _, m := range f.members {
		if err := ip("netns add " + string(m.space)); err != nil {
			return err
		}
		links = append(links, fmt.Sprintf("link add to-%s netns %s type veth peer name uplink netns %s", m.Name, f.router, m.space))
		at = append(at, "addr add "+strings.TrimSuffix(m.addr, "2")+"1/24 dev to-"+m.Name, "link set dev to-"+m.Name+" up")
	}
	if err := ip(links...); err != nil {
		return err
	}
	if err := f.router.ip(at...); err != nil {
		return err
	}
	ends := map[namespace]string{f.client: "10.99.0.2"}
	for _, m := range f.members {
		ends[m.space] = m.addr
	}
	for space, addr := range ends {
		gateway := strings.TrimSuffix(addr, "2") + "1"
		if err := space.ip("link set lo up", "addr add "+addr+"/24 dev uplink", "link set dev uplink up", "route add default via "+gateway); err != nil {
			return err
		}
	}
	return f.router.within(func() error { return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0) })
}

// Members are the servers: the preferred one first.
func (f *Fleet) Members() (a, b *Member) { return f.members[0], f.members[1] }

// Whole waits until the router has both ways and the preferred server answers.
func (f *Fleet) Whole(ctx context.Context) error {
	return f.wait(ctx, "the router to have two ways, and a to answer", func() bool {
		return f.routes() == 2 && f.stream.last() == f.members[0].Name
	})
}

// Answers waits until a server answers the client.
func (f *Fleet) Answers(ctx context.Context, m *Member) error {
	return f.wait(ctx, m.Name+" to answer", func() bool { return f.stream.last() == m.Name })
}

// wait waits for a condition that has to come true.
func (f *Fleet) wait(ctx context.Context, what string, met func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("waited in vain for %s", what))
	defer cancel()
	for !met() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// Close ends what runs in the fleet and removes what it made.
func (f *Fleet) Close() error {
	var errs []error
	if f.stream != nil {
		f.stream.close()
	}
	spaces := []namespace{f.client, f.router}
	for _, m := range f.members {
		if m == nil {
			continue
		}
		spaces = append(spaces, m.space)
		m.Kill()
		errs = append(errs, m.bird.end())
	}
	errs = append(errs, f.bird.end())
	for _, n := range spaces {
		if n != "" {
			errs = append(errs, n.remove())
		}
	}
	if f.dir != "" {
		errs = append(errs, os.RemoveAll(f.dir))
	}
	return errors.Join(errs...)
}

// Log returns what the daemons have printed.
func (f *Fleet) Log() string {
	var b strings.Builder
	for _, m := range f.members {
		if m != nil && m.daemon != nil {
			fmt.Fprintf(&b, "%s:\n%s", m.Name, &m.daemon.log)
		}
	}
	return b.String()
}

func (f *Fleet) path(name string) string { return filepath.Join(f.dir, name) }

// configure writes the files of a server's daemon.
func (m *Member) configure() error {
	zone := fmt.Sprintf("$ORIGIN fleet.test.\n@ 300 SOA ns host 1 2 3 4 5\n@ 300 NS ns\nns 300 A %s\nwho 300 TXT %s\n", Service, m.Name)
	if err := os.WriteFile(m.fleet.path(m.Name+".zone"), []byte(zone), 0o644); err != nil {
		return fmt.Errorf("write the zone: %w", err)
	}
	text := fmt.Sprintf(`[server]
listen = ["0.0.0.0:53"]
[cpu]
shards = 2
pin = false
[io]
shed_after = "0s"
[cache]
memory = "1MiB"
[recursion]
enabled = false
[health]
interval = "200ms"
[anycast]
addresses = [%q]
up_after = "500ms"
drain_wait = "3s"
[admin]
socket = "%s.sock"
[[zone]]
name = "fleet.test."
file = "%s.zone"
`, Service, m.Name, m.Name)
	if err := os.WriteFile(m.fleet.path(m.Name+".toml"), []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return nil
}

// Start starts the server's daemon.
func (m *Member) Start() (err error) {
	m.daemon, err = m.space.start(m.binary, "-config", m.fleet.path(m.Name+".toml"))
	if err == nil {
		m.pid = m.daemon.cmd.Process.Pid
	}
	return err
}

// Stop asks the daemon to end and waits for it.
func (m *Member) Stop() error {
	syscall.Kill(m.pid, syscall.SIGTERM)
	return ended(m.pid)
}

// Kill ends the daemon without asking it.
func (m *Member) Kill() {
	if m.daemon != nil {
		syscall.Kill(m.pid, syscall.SIGKILL)
		ended(m.pid)
	}
}

// Withdraw does what the unit does when the daemon was killed.
func (m *Member) Withdraw() error {
	cmd := m.space.command("env", "EXIT_CODE=killed", "EXIT_STATUS=KILL", m.binary, "-withdraw", "-config", m.fleet.path(m.Name+".toml"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("withdraw: %w: %s", err, out)
	}
	return nil
}

// Upgrade has another process take the daemon's place.
func (m *Member) Upgrade(ctx context.Context) error {
	ctl := filepath.Join(filepath.Dir(m.binary), "heimdallctl")
	out, err := exec.CommandContext(ctx, ctl, "-socket", m.fleet.path(m.Name+".sock"), "-timeout", patience.String(), "-json", "upgrade").Output()
	if err != nil {
		return fmt.Errorf("upgrade: %w: %s", err, out)
	}
	pid, err := readPID(out)
	if err != nil {
		return err
	}
	before := m.pid
	m.pid = pid
	return ended(before)
}

// Hang stops the server's daemon and its routing daemon, as a machine that hangs does; Wake lets them go on.
func (m *Member) Hang() {
	syscall.Kill(m.bird.cmd.Process.Pid, syscall.SIGSTOP)
	syscall.Kill(m.pid, syscall.SIGSTOP)
}

// Wake ends Hang.
func (m *Member) Wake() {
	syscall.Kill(m.pid, syscall.SIGCONT)
	syscall.Kill(m.bird.cmd.Process.Pid, syscall.SIGCONT)
}
