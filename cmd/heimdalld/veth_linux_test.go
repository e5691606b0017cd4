package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"heimdall/core/control"
	"heimdall/netio/vethtest"
)

// veth is a pair of interfaces, or of network cards, in two network namespaces, with the shipped daemon at one end and clients at the other.
type veth struct {
	*vethtest.Pair
	server, client string // namespaces
	dir            string // of the daemon's files
	*daemon               // once run has been called
}

// The ends of the pair, and where the daemon listens.
const (
	vethServer = vethtest.ServerNIC
	vethClient = vethtest.ClientNIC
	vethIPv4   = "192.0.2.1:53"
	vethIPv6   = "[2001:db8::1]:53"
)

var cards = flag.String("cards", "", "two network `interfaces` (\"eth0,eth1\"), joined back to back, to use in place of veth pairs")

// newVeth makes the namespaces, with a number of queues in each direction. Cards use one for each CPU.
func newVeth(t testing.TB, queues int) *veth {
	t.Helper()
	p := vethtest.New(t, queues, *cards)
	return &veth{Pair: p, server: p.Server, client: p.Client, dir: t.TempDir()}
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
	found := attachedProgram.FindStringSubmatch(v.Link(t))
	if found == nil {
		return ""
	}
	return found[1]
}
