package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/control"
	"heimdall/netio/vethtest"
)

// fleetMember is the shipped daemon in a network namespace, with service addresses.
type fleetMember struct {
	*veth
	t testing.TB
}

// newFleetMember makes the namespaces, the zone, and the client's way to the service addresses.
func newFleetMember(t testing.TB) *fleetMember {
	t.Helper()
	m := &fleetMember{newVeth(t, 1), t}
	m.writeFile(t, "fleet.zone", "$ORIGIN fleet.test.\n@ 300 SOA ns.fleet.test. host.fleet.test. 1 2 3 4 5\n@ 300 NS ns\nns 300 A 192.0.2.1\nwww 300 A 192.0.2.1\n")
	for _, route := range []string{"route add 198.51.100.0/24 via 192.0.2.1", "-6 route add 2001:db8:53::/64 via 2001:db8::1"} {
		if out, err := exec.Command("ip", append([]string{"-n", m.client}, strings.Fields(route)...)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", route, err, out)
		}
	}
	return m
}

// config is its configuration: the lines of [anycast] and of the rest.
func (m *fleetMember) config(anycast, rest string) string {
	return fmt.Sprintf("[server]\nlisten = [\"0.0.0.0:53\", \"[::]:53\"]\n[cpu]\nshards = 1\n[cache]\nmemory = \"1MiB\"\n[recursion]\nenabled = false\n[admin]\nsocket = \"admin.sock\"\nmetrics = \"127.0.0.1:9153\"\n"+
		"[health]\ninterval = \"100ms\"\n[anycast]\n%s\n[[zone]]\nname = \"fleet.test.\"\nfile = \"fleet.zone\"\n%s", anycast, rest)
}

// addresses lists the addresses of an interface that are a host's, with what the kernel tells of each.
func (m *fleetMember) addresses(nic string) map[string]string {
	m.t.Helper()
	out, err := exec.Command("ip", "-j", "-n", m.server, "addr", "show", "dev", nic).Output()
	if err != nil {
		m.t.Fatalf("ip addr: %v", err)
	}
	var links []struct {
		Info []struct {
			Local    string
			Prefix   int `json:"prefixlen"`
			Valid    int `json:"valid_life_time"`
			Protocol string
		} `json:"addr_info"`
	}
	if err := json.Unmarshal(out, &links); err != nil {
		m.t.Fatal(err)
	}
	found := map[string]string{}
	for _, l := range links {
		for _, a := range l.Info {
			if a.Prefix == 32 || a.Prefix == 128 && a.Local != "::1" {
				found[a.Local] = "for a time"
				if a.Valid == 1<<32-1 {
					found[a.Local] = "for good"
				}
			}
		}
	}
	return found
}

// has waits until an interface has these addresses, and no others, with a lifetime; "!" before one stands for an operator's.
func (m *fleetMember) has(nic string, want ...string) {
	m.t.Helper()
	var got []string
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		got = got[:0]
		for a, life := range m.addresses(nic) {
			if life == "for good" {
				a = "!" + a
			}
			got = append(got, a)
		}
		slices.Sort(got)
		if slices.Equal(got, want) {
			return
		}
		if time.Now().After(end) {
			m.t.Fatalf("%s has %v, not %v", nic, got, want)
		}
	}
}

// ip runs ip(8) in the daemon's namespace.
func (m *fleetMember) ip(words string) {
	m.t.Helper()
	if out, err := exec.Command("ip", append([]string{"-n", m.server}, strings.Fields(words)...)...).CombinedOutput(); err != nil {
		m.t.Fatalf("ip %s: %v: %s", words, err, out)
	}
}

// answers tells whether the daemon answers at an address, over UDP and TCP.
func (m *fleetMember) answers(host string) {
	m.t.Helper()
	for _, network := range []string{"udp", "tcp"} {
		conn := &dns.Conn{Conn: m.Dial(m.t, network, "", host)}
		r, _, err := (&dns.Client{Net: network, Timeout: patience}).ExchangeWithConn(question("www.fleet.test.", dns.TypeA), conn)
		if err != nil || len(r.Answer) != 1 {
			m.t.Errorf("%s over %s: %v, %v", host, network, r, err)
		}
		conn.Close()
	}
}

// get asks for a page of the metrics address.
func (m *fleetMember) get(path string) (body string, code int) {
	m.t.Helper()
	var conn net.Conn
	var err error
	vethtest.Within(m.t, m.server, func() { conn, err = net.Dial("tcp", "127.0.0.1:9153") })
	if err != nil {
		m.t.Fatal(err)
	}
	defer conn.Close()
	client := http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil },
	}}
	r, err := client.Get("http://127.0.0.1:9153" + path)
	if err != nil {
		m.t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(text), r.StatusCode
}

// reload puts a configuration into force.
func (m *fleetMember) reload(text string) {
	m.t.Helper()
	m.writeFile(m.t, "config.toml", sheddingNothing(text))
	if out, code := m.ctl("reload"); code != 0 {
		m.t.Fatalf("exit code %d: %s", code, out)
	}
}

const at = "addresses = [\"198.51.100.53\", \"2001:db8:53::53\", \"198.51.100.9\"]\nup_after = \"0s\"\ndown_after = \"0s\"\ndrain_wait = \"0s\"\n"

// Service addresses are there while the daemon is healthy, and nobody else's are touched.
func TestRootAnycast(t *testing.T) {
	m := newFleetMember(t)
	m.ip("addr add 198.51.100.9/32 dev lo") // an operator's, which is in the list by mistake
	m.run(t, m.config(at, ""), m.netns()...)
	m.has("lo", "!198.51.100.9", "198.51.100.53", "2001:db8:53::53")
	m.answers("198.51.100.53:53")
	m.answers("[2001:db8:53::53]:53")
	var st control.Status
	m.ctlJSON(&st, "status")
	if a := st.Anycast; !st.Health.Healthy || a == nil || !a.Announced || a.Addresses[0].State != control.AnycastUp || a.Addresses[2].State != control.AnycastForeign {
		t.Errorf("%+v, %+v", st.Health, st.Anycast)
	}

	// A zone without a version.
	bad := "[[zone]]\nname = \"bad.test.\"\nfile = \"none.zone\"\n"
	m.reload(m.config(at, bad))
	m.has("lo", "!198.51.100.9")
	if out, code := m.ctl("health"); code != 1 || !strings.Contains(out, "FAIL  zones: 1 of 2 have a version; none has bad.test.") {
		t.Errorf("exit code %d: %s", code, out)
	}
	if body, code := m.get("/healthz"); code != 503 || !strings.Contains(body, "bad.test.") {
		t.Errorf("%d: %s", code, body)
	}
	if body, _ := m.get("/metrics"); !strings.Contains(body, "heimdall_healthy 0") || !strings.Contains(body, `heimdall_health_check{check="zones"} 0`) ||
		!strings.Contains(body, `heimdall_anycast_address{address="198.51.100.53",interface="lo"} 0`) || !strings.Contains(body, "heimdall_anycast_changes_total 2") {
		t.Errorf("metrics:\n%s", body)
	}
	if !strings.Contains(m.log.String(), "the service addresses go: this server is not healthy") || !strings.Contains(m.log.String(), "bad.test.") {
		t.Error("the log does not say why")
	}

	// A reload moves them to another interface, and exchanges one.
	moved := strings.Replace(at, "198.51.100.53", "198.51.100.54", 1) + "interface = \"hd-server\"\nlease = \"2s\"\n"
	m.reload(m.config(moved, ""))
	m.has("hd-server", "198.51.100.54", "198.51.100.9", "2001:db8:53::53")
	m.has("lo", "!198.51.100.9")
	m.answers("198.51.100.54:53")
	if out, code := m.ctl("health"); code != 0 {
		t.Errorf("exit code %d: %s", code, out)
	}

	// Whoever takes one off has to tell the daemon.
	m.ip("addr del 198.51.100.54/32 dev hd-server")
	m.has("hd-server", "198.51.100.54", "198.51.100.9", "2001:db8:53::53")

	// A daemon that hangs as a whole: the kernel takes them off.
	m.cmd.Process.Signal(syscall.SIGSTOP)
	m.stopped()
	m.has("hd-server")
	m.cmd.Process.Signal(syscall.SIGCONT)
	m.has("hd-server", "198.51.100.54", "198.51.100.9", "2001:db8:53::53")

	// One that was killed leaves them, for the time of the lease; who sees it die takes them off at once.
	m.reload(m.config(strings.Replace(moved, "2s", "1m", 1), ""))
	m.stop(syscall.SIGKILL)
	m.has("hd-server", "198.51.100.54", "198.51.100.9", "2001:db8:53::53")
	withdraw := append(m.netns(), "env", "SERVICE_RESULT=success", "EXIT_CODE=exited", "EXIT_STATUS=0", shipped(t, "heimdalld"), "-withdraw", "-config", m.veth.daemon.config)
	if out, err := exec.Command(withdraw[0], withdraw[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	m.has("hd-server", "198.51.100.54", "198.51.100.9", "2001:db8:53::53")
	withdraw[6], withdraw[7] = "EXIT_CODE=killed", "EXIT_STATUS=TERM" // which the manager takes for a success too
	if out, err := exec.Command(withdraw[0], withdraw[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	m.has("hd-server")
	m.has("lo", "!198.51.100.9")
}

// What a process that was killed has left behind the next one takes off first. One that is told to end takes its addresses
// off, answers what still comes to them, and ends.
func TestRootAnycastDrains(t *testing.T) {
	m := newFleetMember(t)
	text := m.config(at+"lease = \"1m\"\n", "")
	m.run(t, text, m.netns()...)
	m.has("lo", "198.51.100.53", "198.51.100.9", "2001:db8:53::53")
	m.stop(syscall.SIGKILL)
	m.run(t, strings.Replace(text, "up_after = \"0s\"", "up_after = \"1h\"", 1), m.netns()...)
	m.has("lo")
	if !strings.Contains(m.log.String(), "an earlier process has left behind") {
		t.Error("the log does not say so")
	}
	m.reload(strings.Replace(text, "drain_wait = \"0s\"", "drain_wait = \"2s\"", 1))
	m.has("lo", "198.51.100.53", "198.51.100.9", "2001:db8:53::53")
	m.cmd.Process.Signal(syscall.SIGTERM)
	m.has("lo")
	m.answers("198.51.100.53:53")
	m.answers("[2001:db8:53::53]:53")
	if out, code := m.ctl("health"); code != 1 || !strings.Contains(out, "FAIL  service: the daemon drains") {
		t.Errorf("exit code %d: %s", code, out)
	}
	until(t, "the daemon's end", m.ended)
	if code := m.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for _, family := range []string{"-4", "-6"} {
		if out, err := exec.Command("ip", family, "-n", m.server, "route", "show", "table", "local", "proto", "104").CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%v, %s", err, out)
		}
	}
}

// stopped waits until the kernel has stopped the daemon.
func (m *fleetMember) stopped() {
	m.t.Helper()
	until(m.t, "the daemon to stop", func() bool {
		out, err := exec.Command("ps", "-o", "stat=", "-p", fmt.Sprint(m.cmd.Process.Pid)).Output()
		return err == nil && strings.HasPrefix(string(out), "T")
	})
}
