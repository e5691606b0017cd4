package main

import (
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"

	"heimdall/netio/vethtest"
)

// Clients that the server knows elsewhere than on the pair, and one on a VLAN of the pair.
const (
	forged4  = "203.0.113.5"
	forged6  = "2001:db8:66::5"
	onVLAN   = "198.51.100.2"
	vlanName = vethClient + ".7"
)

// ipLines carries out commands of ip, in a namespace or in none.
func ipLines(t *testing.T, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", line, err, out)
		}
	}
}

// withForgers prepares the namespaces: the server has routes to the forged addresses that lead elsewhere, and checks
// sources strictly; the client has them all the same.
func withForgers(t *testing.T) func(v *veth) string {
	return func(v *veth) string {
		in, out := "-n "+v.server+" ", "-n "+v.client+" "
		run := func(namespace, command string) string { return "netns exec " + namespace + " " + command }
		ipLines(t,
			in+"link add elsewhere type veth peer name nowhere", in+"link set elsewhere up", in+"link set nowhere up",
			in+"route add 203.0.113.0/24 dev elsewhere", in+"-6 route add 2001:db8:66::/64 dev elsewhere",
			run(v.server, "sysctl -qw net.ipv4.conf."+vethServer+".rp_filter=1 net.ipv4.conf.lo.forwarding=1 net.ipv6.conf.lo.forwarding=1"),
			out+"link set lo up", out+"addr add "+forged4+"/32 dev lo", out+"addr add "+forged6+"/128 dev lo nodad",
		)
		return ""
	}
}

// withVLAN makes a VLAN on the pair, if the kernel has any.
func withVLAN(t *testing.T, made *bool) func(v *veth) string {
	return func(v *veth) string {
		in, out := "-n "+v.server+" ", "-n "+v.client+" "
		first := in + "link add link " + vethServer + " name " + vethServer + ".7 type vlan id 7"
		if err := exec.Command("ip", strings.Fields(first)...).Run(); err != nil {
			t.Logf("without a VLAN: ip %s: %v", first, err)
			return ""
		}
		*made = true
		ipLines(t,
			in+"addr add 198.51.100.1/24 dev "+vethServer+".7", in+"link set "+vethServer+".7 up",
			out+"link add link "+vethClient+" name "+vlanName+" type vlan id 7", out+"addr add "+onVLAN+"/24 dev "+vlanName, out+"link set "+vlanName+" up",
			"netns exec "+v.client+" ethtool -K "+vethClient+" txvlan off", // the tag is in the frame, where the program sees it
		)
		return ""
	}
}

// bridge makes the server's end of the pair a part of a bridge, which gets its addresses, if the kernel has any.
func bridge(t *testing.T, v *veth) {
	in := "-n " + v.server + " "
	if err := exec.Command("ip", "-n", v.server, "link", "add", "bridge", "type", "bridge").Run(); err != nil {
		t.Logf("without a bridge: %v", err)
		return
	}
	ipLines(t,
		in+"link set bridge up", in+"link set "+vethServer+" master bridge", in+"addr flush dev "+vethServer,
		in+"addr add 192.0.2.1/24 dev bridge", in+"addr add 2001:db8::1/64 dev bridge nodad", "netns exec "+v.server+" sysctl -qw net.ipv4.conf.bridge.rp_filter=1",
	)
}

// dialVLAN opens a socket of the client on the VLAN.
func (l *hotLab) dialVLAN(t *testing.T) (conn net.Conn) {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.UDPAddr{IP: net.ParseIP(onVLAN)}, Control: func(_, _ string, c syscall.RawConn) (err error) {
		c.Control(func(fd uintptr) { err = unix.BindToDevice(int(fd), vlanName) })
		return err
	}}
	var err error
	vethtest.Within(t, l.client, func() { conn, err = d.Dial("udp", vethIPv4) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// asks sends a query for a hot name, and tells through which exits it went, "answered" if there was a response in time
// once it was through the program.
func (l *hotLab) asks(t *testing.T, conn net.Conn, patience time.Duration) map[string]bool {
	t.Helper()
	before := l.exits()
	q, err := question("www.hot.test.", dns.TypeA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(q); err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	until(t, "the program to see the query", func() bool {
		for name, n := range l.exits() {
			out[name] = n > before[name]
		}
		return out["send_answer"] || out["pass_reverse_path"] || out["pass_miss"]
	})
	conn.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 512)
	n, err := conn.Read(buf)
	out["answered"] = err == nil && n > 12 && buf[0] == q[0] && buf[1] == q[1]
	return out
}

// A forged source gets no answer from the kernel with xdp.reverse_path, nor by AF_XDP: the host's own rp_filter drops it.
// Who asks from where the host reaches him is answered in the kernel, on a VLAN too.
func TestRootReversePath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, mode, more string }{
		{"off", "native", ""},
		{"loose", "native", `reverse_path = "loose"`},
		{"strict native", "native", `reverse_path = "strict"`},
		{"strict generic", "generic", `reverse_path = "strict"`},
		{"strict bridge", "native", `reverse_path = "strict"`},
		{"strict AF_XDP", "native", "reverse_path = \"strict\"\n[io]\nbackend = \"xsk\""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tagged := false
			l := newHotLab(t, c.mode, withForgers(t), withVLAN(t, &tagged), func(v *veth) string {
				if c.name == "strict bridge" {
					bridge(t, v)
				}
				return c.more
			})
			if strings.Contains(l.log.String(), "no way back") {
				t.Errorf("a warning for nothing:\n%s", l.log)
			}
			honest := l.outside[:]
			forged := []net.Conn{l.Dial(t, "udp", forged4, vethIPv4), l.Dial(t, "udp", forged6, vethIPv6)}
			if tagged {
				honest = append(honest, l.dialVLAN(t))
				forged = append(forged, l.Dial(t, "udp", onVLAN, vethIPv4))
			}
			for i, conn := range honest {
				if got := l.asks(t, conn, patience); !got["answered"] || !got["send_answer"] || got["pass_reverse_path"] {
					t.Errorf("honest client %d: %v", i, got)
				}
			}
			for i, conn := range forged {
				if !strings.HasPrefix(c.name, "strict") {
					if got := l.asks(t, conn, patience); !got["answered"] || !got["send_answer"] || got["pass_reverse_path"] {
						t.Errorf("forged client %d: %v", i, got)
					}
					continue
				}
				// The stack checks no sources of IPv6: a shard answers, to where the route leads.
				if got := l.asks(t, conn, 200*time.Millisecond); got["answered"] || got["send_answer"] || !got["pass_reverse_path"] {
					t.Errorf("forged client %d: %v", i, got)
				}
			}
			// No longer does the loopback interface forward: the program finds no way back, and the stack gets all.
			if c.more != "" {
				ipLines(t, "netns exec "+l.server+" sysctl -qw net.ipv4.conf.lo.forwarding=0")
				if got := l.asks(t, l.outside[0], patience); !got["answered"] || got["send_answer"] || !got["pass_reverse_path"] {
					t.Errorf("without forwarding: %v", got)
				}
			}
		})
	}
}

// Without forwarding the daemon says at its start what it lacks.
func TestRootReversePathWarning(t *testing.T) {
	t.Parallel()
	l := newHotLab(t, "generic", func(*veth) string { return `reverse_path = "loose"` })
	const want = "no way back to clients"
	if text := l.log.String(); !strings.Contains(text, want) || !strings.Contains(text, "sysctl -w net.ipv4.conf.lo.forwarding=1 net.ipv6.conf.lo.forwarding=1") {
		t.Errorf("the log lacks %q:\n%s", want, text)
	}
	if out, _ := l.ctl("status"); !strings.Contains(out, want) {
		t.Errorf("the status lacks %q:\n%s", want, out)
	}
}
