package vethtest

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"heimdall/cmd/heimdall-lab/lab"
)

// The interfaces at the two ends. The server has 192.0.2.1 and 2001:db8::1, the client 192.0.2.2, 192.0.2.3 and
// 2001:db8::2.
const (
	ServerNIC = "hd-server"
	ClientNIC = "hd-client"
)

// dialTime is a guard against hanging, not a claim about speed.
const dialTime = 30 * time.Second

// Pair is a veth pair, or two network cards, with an end in each of two network namespaces.
type Pair struct {
	Server, Client string // namespaces, as ip-netns(8) knows them
}

var pairs atomic.Int32

// New makes a pair with a number of queues in each direction, which goes away with the test. Cards are two interfaces
// ("eth0,eth1"), joined back to back, to use in place of veth: a network card has a driver of its own, which does with
// XDP what that of veth does not. They use a queue for each CPU. The empty text means veth. Users other than root skip
// the test.
func New(t testing.TB, queues int, cards string) *Pair {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("takes root, to make network namespaces")
	}
	n := pairs.Add(1)
	p := &Pair{Server: fmt.Sprintf("hd-s-%d-%d", os.Getpid(), n), Client: fmt.Sprintf("hd-c-%d-%d", os.Getpid(), n)}
	many := fmt.Sprintf("numrxqueues %d numtxqueues %d", queues, queues)
	join := []string{
		"link add " + ServerNIC + " netns " + p.Server + " " + many + " type veth peer name " + ClientNIC + " netns " + p.Client + " " + many,
		// Without that the driver of veth drops what the other end sends from XDP.
		"netns exec " + p.Client + " ethtool -K " + ClientNIC + " gro on",
	}
	var leave []string
	if a, b, ok := strings.Cut(cards, ","); ok {
		join = []string{"link set dev " + a + " netns " + p.Server + " name " + ServerNIC, "link set dev " + b + " netns " + p.Client + " name " + ClientNIC}
		for _, back := range [][3]string{{p.Server, ServerNIC, a}, {p.Client, ClientNIC, b}} {
			leave = append(leave, "-n "+back[0]+" link set dev "+back[1]+" mtu 1500", "-n "+back[0]+" link set dev "+back[1]+" netns 1 name "+back[2])
		}
	}
	t.Cleanup(func() {
		for _, line := range append(leave, "netns del "+p.Server, "netns del "+p.Client) {
			exec.Command("ip", strings.Fields(line)...).Run()
		}
	})
	for _, line := range slices.Concat([]string{"netns add " + p.Server, "netns add " + p.Client}, join, []string{
		"-n " + p.Server + " link set lo up",
		"-n " + p.Server + " addr add 192.0.2.1/24 dev " + ServerNIC,
		"-n " + p.Server + " addr add 2001:db8::1/64 nodad dev " + ServerNIC,
		"-n " + p.Server + " link set " + ServerNIC + " up",
		"-n " + p.Client + " addr add 192.0.2.2/24 dev " + ClientNIC,
		"-n " + p.Client + " addr add 192.0.2.3/24 dev " + ClientNIC,
		"-n " + p.Client + " addr add 2001:db8::2/64 nodad dev " + ClientNIC,
		"-n " + p.Client + " link set " + ClientNIC + " up",
	}) {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", line, err, out)
		}
	}
	if cards != "" {
		for name, nic := range map[string]string{p.Server: ServerNIC, p.Client: ClientNIC} {
			Change(name, "ethtool", "-L", nic, "combined", strconv.Itoa(runtime.NumCPU())) // refused where it is so already
		}
	}
	return p
}

// Change runs a command in a namespace that may be refused.
func Change(namespace string, command ...string) error {
	out, err := exec.Command("ip", append([]string{"netns", "exec", namespace}, command...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, out)
	}
	return nil
}

// Within calls f on a thread in a network namespace. What it opens stays there.
func Within(t testing.TB, namespace string, f func()) {
	t.Helper()
	if err := lab.Within(namespace, func() error { f(); return nil }); err != nil {
		t.Fatal(err)
	}
}

// Dial opens a socket in the client's namespace, from an address or, where that is empty, from any. It is closed when
// the test has ended.
func (p *Pair) Dial(t testing.TB, network, from, to string) (conn net.Conn) {
	t.Helper()
	dialer := net.Dialer{Timeout: dialTime}
	if from != "" {
		local := netip.AddrPortFrom(netip.MustParseAddr(from), 0)
		if dialer.LocalAddr = net.UDPAddrFromAddrPort(local); network == "tcp" {
			dialer.LocalAddr = net.TCPAddrFromAddrPort(local)
		}
	}
	var err error
	Within(t, p.Client, func() { conn, err = dialer.Dial(network, to) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// Link returns what ip-link(8) tells of the server's interface.
func (p *Pair) Link(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("ip", "-d", "-n", p.Server, "link", "show", "dev", ServerNIC).CombinedOutput()
	if err != nil {
		t.Fatalf("ip link: %v: %s", err, out)
	}
	return string(out)
}
