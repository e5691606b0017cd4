package main

import (
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"heimdall/cmd/heimdall-lab/lab"
	"heimdall/core/control"
)

// veth is a pair of interfaces, or of network cards, in two network namespaces, with the shipped daemon at one end and clients at the other.
type veth struct {
	server, client string // namespaces
	dir            string // of the daemon's files
	*daemon               // once run has been called
}

// The ends of the pair, and where the daemon listens. Clients have 192.0.2.2, 192.0.2.3 and 2001:db8::2.
const (
	vethServer = "hd-server"
	vethClient = "hd-client"
	vethIPv4   = "192.0.2.1:53"
	vethIPv6   = "[2001:db8::1]:53"
)

var veths atomic.Int32

// A network card has a driver of its own, which does with XDP what that of veth does not.
var cards = flag.String("cards", "", "two network `interfaces` (\"eth0,eth1\"), joined back to back, to use in place of veth pairs")

// newVeth makes the namespaces, with a number of queues in each direction. Cards use one for each CPU.
func newVeth(t testing.TB, queues int) *veth {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("takes root, to make network namespaces")
	}
	n := veths.Add(1)
	v := &veth{server: fmt.Sprintf("hd-s-%d-%d", os.Getpid(), n), client: fmt.Sprintf("hd-c-%d-%d", os.Getpid(), n), dir: t.TempDir()}
	many := fmt.Sprintf("numrxqueues %d numtxqueues %d", queues, queues)
	join := []string{
		"link add " + vethServer + " netns " + v.server + " " + many + " type veth peer name " + vethClient + " netns " + v.client + " " + many,
		// Without that the driver of veth drops what the other end sends from XDP.
		"netns exec " + v.client + " ethtool -K " + vethClient + " gro on",
	}
	var leave []string
	if a, b, ok := strings.Cut(*cards, ","); ok {
		join = []string{"link set dev " + a + " netns " + v.server + " name " + vethServer, "link set dev " + b + " netns " + v.client + " name " + vethClient}
		for _, back := range [][3]string{{v.server, vethServer, a}, {v.client, vethClient, b}} {
			leave = append(leave, "-n "+back[0]+" link set dev "+back[1]+" mtu 1500", "-n "+back[0]+" link set dev "+back[1]+" netns 1 name "+back[2])
		}
	}
	t.Cleanup(func() {
		for _, line := range append(leave, "netns del "+v.server, "netns del "+v.client) {
			exec.Command("ip", strings.Fields(line)...).Run()
		}
	})
	for _, line := range slices.Concat([]string{"netns add " + v.server, "netns add " + v.client}, join, []string{
		"-n " + v.server + " link set lo up",
		"-n " + v.server + " addr add 192.0.2.1/24 dev " + vethServer,
		"-n " + v.server + " addr add 2001:db8::1/64 nodad dev " + vethServer,
		"-n " + v.server + " link set " + vethServer + " up",
		"-n " + v.client + " addr add 192.0.2.2/24 dev " + vethClient,
		"-n " + v.client + " addr add 192.0.2.3/24 dev " + vethClient,
		"-n " + v.client + " addr add 2001:db8::2/64 nodad dev " + vethClient,
		"-n " + v.client + " link set " + vethClient + " up",
	}) {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", line, err, out)
		}
	}
	if *cards != "" {
		for name, nic := range map[string]string{v.server: vethServer, v.client: vethClient} {
			change(name, "ethtool", "-L", nic, "combined", strconv.Itoa(runtime.NumCPU())) // refused where it is so already
		}
	}
	return v
}

// change runs a command in a namespace that may be refused.
func change(namespace string, command ...string) error {
	out, err := exec.Command("ip", append([]string{"netns", "exec", namespace}, command...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, out)
	}
	return nil
}

// ethtool runs ethtool in a namespace.
func ethtool(t testing.TB, namespace string, args ...string) string {
	t.Helper()
	out, err := exec.Command("ip", append([]string{"netns", "exec", namespace, "ethtool"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ethtool %v: %v: %s", args, err, out)
	}
	return string(out)
}

// driverCounts sums up one of the counters that the server's driver has for each receive queue, such as xdp_tx. Their names are
// like rx_queue_0_xdp_tx, or rx0_xdp_tx (virtio_net since Linux 6.10).
func (v *veth) driverCounts(t testing.TB, name string) (n uint64) {
	t.Helper()
	for _, m := range regexp.MustCompile(`rx(?:_queue_)?\d+_`+name+`: (\d+)`).FindAllStringSubmatch(ethtool(t, v.server, "-S", vethServer), -1) {
		one, err := strconv.ParseUint(m[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		n += one
	}
	return n
}

// inNamespace calls f on a thread in a network namespace. What it opens stays there.
func inNamespace(t testing.TB, name string, f func()) {
	t.Helper()
	if err := lab.Within(name, func() error { f(); return nil }); err != nil {
		t.Fatal(err)
	}
}

// run starts the daemon with a configuration, by a command that runs others in the server's namespace.
func (v *veth) run(t testing.TB, text string, command ...string) {
	t.Helper()
	v.daemon = &daemon{t: t, addr: vethIPv4, dir: v.dir, config: filepath.Join(v.dir, "config.toml"), socket: filepath.Join(v.dir, "admin.sock")}
	v.writeFile(t, "config.toml", sheddingNothing(text))
	v.launch(command...)
	until(t, "the daemon to serve", func() bool {
		if v.ended() {
			t.Fatalf("the daemon did not start:\n%s", v.log)
		}
		return strings.Contains(v.log.String(), "msg=serving")
	})
}

// writeFile writes one of the daemon's files.
func (v *veth) writeFile(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(v.dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// netns is the command that runs others in the server's namespace.
func (v *veth) netns() []string { return []string{"ip", "netns", "exec", v.server} }

// dial opens a socket in the client's namespace, from an address or from any.
func (v *veth) dial(t testing.TB, network, from, to string) (conn net.Conn) {
	t.Helper()
	dialer := net.Dialer{Timeout: patience}
	if from != "" {
		local := netip.AddrPortFrom(netip.MustParseAddr(from), 0)
		if dialer.LocalAddr = net.UDPAddrFromAddrPort(local); network == "tcp" {
			dialer.LocalAddr = net.TCPAddrFromAddrPort(local)
		}
	}
	var err error
	inNamespace(t, v.client, func() { conn, err = dialer.Dial(network, to) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// xdp returns what heimdallctl tells of the XDP program, which is attached.
func (v *veth) xdp() (x control.XDP) {
	v.t.Helper()
	v.ctlJSON(&x, "xdp", "-interval", "100ms")
	if len(x.Interfaces) != 1 || x.Interfaces[0].Name != vethServer {
		v.t.Fatalf("the program is attached to %v", x.Interfaces)
	}
	return x
}

// exits returns the program's counters.
func (v *veth) exits() map[string]uint64 {
	v.t.Helper()
	m := map[string]uint64{}
	for _, e := range v.xdp().Exits {
		m[e.Name] = e.Packets
	}
	return m
}

// attachedProgram finds the number of the XDP program in what ip tells.
var attachedProgram = regexp.MustCompile(`prog/xdp id (\d+)`)

// program returns the number of the XDP program on the server's interface; "": there is none.
func (v *veth) program(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("ip", "-d", "-n", v.server, "link", "show", "dev", vethServer).CombinedOutput()
	if err != nil {
		t.Fatalf("ip link: %v: %s", err, out)
	}
	found := attachedProgram.FindSubmatch(out)
	if found == nil {
		return ""
	}
	return string(found[1])
}
