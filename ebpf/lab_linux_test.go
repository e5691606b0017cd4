package ebpf

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// lab is a veth pair between two network namespaces, with a process that has the program attached to one end.
type lab struct {
	server, client string // namespaces
	process        *exec.Cmd
	mode           string // as the process tells it
}

// The ends of the veth pair.
const (
	serverNIC = "hd-server"
	clientNIC = "hd-client"
)

// attachEnv tells a copy of the test's process to attach the program in that mode, and to wait.
const attachEnv = "HEIMDALL_TEST_ATTACH"

func TestMain(m *testing.M) {
	if mode := os.Getenv(attachEnv); mode != "" {
		if err := attachAndWait(mode); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// attachAndWait publishes one answer, attaches the program, says so, and answers what is passed with a word,
// until standard input ends.
func attachAndWait(text string) error {
	mode := map[string]Mode{"auto": Auto, "native": Native, "generic": Generic}[text]
	endpoints := []netip.AddrPort{server4, server6}
	nic, err := net.InterfaceByName(serverNIC)
	if err != nil {
		return err
	}
	p, err := Load(Options{Epoch: time.Now().Add(-time.Hour), Entries: 16})
	if err != nil {
		return err
	}
	defer p.Close()
	all := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	if err := errors.Join(p.SetEndpoints(endpoints), p.SetClients(Clients{Ask: all})); err != nil {
		return err
	}
	if _, err := p.Publish(1, 3600, []Answer{addressA(3600)}); err != nil {
		return err
	}
	for _, to := range endpoints {
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(to))
		if err != nil {
			return err
		}
		go func() {
			b := make([]byte, 2048)
			for {
				_, from, err := c.ReadFromUDPAddrPort(b)
				if err != nil {
					return
				}
				c.WriteToUDPAddrPort([]byte("passed"), from)
			}
		}()
	}
	got, _, err := p.Attach(nic.Index, mode)
	if err != nil {
		return err
	}
	fmt.Println("attached", got)
	io.Copy(io.Discard, os.Stdin)
	return nil
}

// newLab makes the namespaces and starts the process.
func newLab(t *testing.T, mode string) *lab {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	l := &lab{server: fmt.Sprintf("hd-s-%d", os.Getpid()), client: fmt.Sprintf("hd-c-%d", os.Getpid())}
	t.Cleanup(func() {
		exec.Command("ip", "netns", "del", l.server).Run()
		exec.Command("ip", "netns", "del", l.client).Run()
	})
	for _, line := range []string{
		"netns add " + l.server,
		"netns add " + l.client,
		"link add " + serverNIC + " netns " + l.server + " numrxqueues 1 numtxqueues 1 type veth peer name " + clientNIC + " netns " + l.client + " numrxqueues 1 numtxqueues 1",
		"-n " + l.server + " link set lo up",
		"-n " + l.server + " addr add 192.0.2.1/24 dev " + serverNIC,
		"-n " + l.server + " addr add 2001:db8::1/64 nodad dev " + serverNIC,
		"-n " + l.server + " link set " + serverNIC + " up",
		"-n " + l.client + " addr add 192.0.2.2/24 dev " + clientNIC,
		"-n " + l.client + " addr add 2001:db8::2/64 nodad dev " + clientNIC,
		"-n " + l.client + " link set " + clientNIC + " up",
		// Without that the driver of veth drops what the other end sends from XDP.
		"netns exec " + l.client + " ethtool -K " + clientNIC + " gro on",
	} {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", line, err, out)
		}
	}
	l.process, l.mode = startAttached(t, l.server, mode)
	return l
}

// startAttached starts a process in a namespace that attaches the program. It ends with the test.
func startAttached(t *testing.T, namespace, mode string) (process *exec.Cmd, got string) {
	t.Helper()
	process = exec.Command("ip", "netns", "exec", namespace, os.Args[0])
	process.Env = append(os.Environ(), attachEnv+"="+mode)
	process.Stderr = os.Stderr
	stdin, err := process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		process.Wait()
	})
	line, _ := bufio.NewReader(stdout).ReadString('\n')
	got, ok := strings.CutPrefix(strings.TrimSpace(line), "attached ")
	if !ok {
		if strings.Contains(line, ErrNotSupported.Error()) && !strings.Contains(line, "verifier rejects") {
			t.Skip(line)
		}
		t.Fatalf("the process says %q", line)
	}
	return process, got
}

// dial opens a UDP socket in the client's namespace.
func (l *lab) dial(t *testing.T, to netip.AddrPort) (conn net.Conn) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends in its namespace
		ns, err := os.Open("/run/netns/" + l.client)
		if err == nil {
			defer ns.Close()
			err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
		}
		if err == nil {
			conn, err = net.Dial("udp", to.String())
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// ask sends a query, twice if need be, and returns the response, or nil if none comes within patience of either.
// Its port is its own: a response that comes too late is not taken for that to the next query.
func (l *lab) ask(t *testing.T, to netip.AddrPort, q []byte, patience time.Duration) []byte {
	t.Helper()
	conn := l.dial(t, to)
	buf := make([]byte, 2048)
	for range 2 {
		if _, err := conn.Write(q); err != nil {
			t.Fatal(err)
		}
		conn.SetReadDeadline(time.Now().Add(patience))
		if n, err := conn.Read(buf); err == nil {
			return buf[:n]
		}
	}
	return nil
}

// attached tells whether an XDP program is on the server's interface.
func (l *lab) attached(t *testing.T) bool {
	t.Helper()
	out, err := exec.Command("ip", "-n", l.server, "link", "show", "dev", serverNIC).CombinedOutput()
	if err != nil {
		t.Fatalf("ip link: %v: %s", err, out)
	}
	return strings.Contains(string(out), "xdp")
}
