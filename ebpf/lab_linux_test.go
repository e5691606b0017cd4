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
	"strings"
	"testing"
	"time"

	"heimdall/netio/vethtest"
)

// lab is a veth pair between two network namespaces, with a process that has the program attached to one end.
type lab struct {
	*vethtest.Pair
	process *exec.Cmd
	mode    string // as the process tells it
}

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
	nic, err := net.InterfaceByName(vethtest.ServerNIC)
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
	l := &lab{Pair: vethtest.New(t, 1, "")}
	l.process, l.mode = startAttached(t, l.Server, mode)
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

// ask sends a query, twice if need be, and returns the response, or nil if none comes within patience of either.
// Its port is its own: a response that comes too late is not taken for that to the next query.
func (l *lab) ask(t *testing.T, to netip.AddrPort, q []byte, patience time.Duration) []byte {
	t.Helper()
	conn := l.Dial(t, "udp", "", to.String())
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
	return strings.Contains(l.Link(t), "prog/xdp")
}
