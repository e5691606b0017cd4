package ebpf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// group opens n sockets of one SO_REUSEPORT group on the loopback interface.
func group(t *testing.T, n int) (conns []*net.UDPConn, sockets []Socket) {
	t.Helper()
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
		return err
	}}
	addr := "127.0.0.1:0"
	for range n {
		c, err := lc.ListenPacket(context.Background(), "udp4", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		addr = c.LocalAddr().String()
		conn := c.(*net.UDPConn)
		raw, err := conn.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		raw.Control(func(fd uintptr) { sockets = append(sockets, Socket{FD: int(fd), CPU: -1}) })
		conns = append(conns, conn)
	}
	return conns, sockets
}

// The kernel and Go agree on the owner of every name, whatever its length and letter case, also after the
// number of sockets has changed.
func TestRootSteering(t *testing.T) {
	seed := Seed{1, 2, 3}
	keys := newOwnerKeys(seed)
	conns, sockets := group(t, 5)
	s, err := AttachSteering(ByName, seed, sockets[:3])
	if err != nil {
		skipIfUnsupported(t, err)
		t.Fatal(err)
	}
	defer s.Close()
	client, err := net.Dial("udp4", conns[0].LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	rnd := rand.New(rand.NewPCG(3, 4))
	buf := make([]byte, 512)
	counts := make([]int, len(sockets))
	check := func(n int) {
		t.Helper()
		for length := 1; length <= dname.MaxLen; length++ {
			if length == 2 {
				continue // no name has two octets
			}
			qname := randomName(rnd, length)
			q := wire.AppendQuery(nil, uint16(length), 0, qname, wire.TypeA, wire.ClassIN)
			if _, err := client.Write(q); err != nil {
				t.Fatal(err)
			}
			owner := keys.owner(dname.AppendLower(nil, qname), n)
			counts[owner]++
			conns[owner].SetReadDeadline(time.Now().Add(10 * time.Second))
			got, _, err := conns[owner].ReadFromUDP(buf)
			if err != nil || !bytes.Equal(buf[:got], q) {
				t.Fatalf("socket %d did not get the query for a name of %d octets: %v", owner, length, err)
			}
		}
	}
	check(3)
	if err := s.Update(sockets); err != nil {
		t.Fatal(err)
	}
	check(5)
	if err := s.Update(sockets[:2]); err != nil {
		t.Fatal(err)
	}
	check(2)
	for i, n := range counts {
		if n < 20 {
			t.Errorf("socket %d owns only %d names", i, n)
		}
	}
	// What has no name goes to those that take part, and not to the others.
	Settle()
	junk := []string{"x", "0123456789ab\xc0\x0c", "0123456789ab\x3fabc"}
	for _, text := range junk {
		fmt.Fprint(client, text)
	}
	if got := receivedBy(t, conns, len(junk)); got[0]+got[1] != len(junk) {
		t.Errorf("%v messages without a name arrived, want all %d at the first two sockets", got, len(junk))
	}
}

// receivedBy counts what the sockets get, until all of n messages have come.
func receivedBy(t *testing.T, conns []*net.UDPConn, n int) []int {
	t.Helper()
	got := make([]int, len(conns))
	buf := make([]byte, 512)
	for end := time.Now().Add(10 * time.Second); n > 0; {
		if time.Now().After(end) {
			t.Fatalf("%d messages have not come, after %v", n, got)
		}
		for i, c := range conns {
			c.SetReadDeadline(time.Now().Add(time.Millisecond))
			for {
				if _, err := c.Read(buf); err != nil {
					break
				}
				got[i]++
				n--
			}
		}
	}
	return got
}

// dialGroup opens n clients of a group, each at a port of its own.
func dialGroup(t *testing.T, conns []*net.UDPConn, n int) (clients []net.Conn) {
	t.Helper()
	for range n {
		c, err := net.Dial("udp4", conns[0].LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		clients = append(clients, c)
	}
	return clients
}

// By flow, each client has one socket, all sockets that take part have clients, and the others have none. Without the program
// they have some again.
func TestRootSteeringByFlow(t *testing.T) {
	conns, sockets := group(t, 4)
	s, err := AttachSteering(ByFlow, Seed{}, sockets[:2])
	if err != nil {
		skipIfUnsupported(t, err)
		t.Fatal(err)
	}
	clients := dialGroup(t, conns, 64)
	send := func() []int {
		for _, c := range clients {
			fmt.Fprint(c, "once")
			fmt.Fprint(c, "more")
		}
		return receivedBy(t, conns, 2*len(clients))
	}
	if got := send(); got[0] == 0 || got[1] == 0 || got[0]%2 != 0 || got[2]+got[3] != 0 {
		t.Errorf("two of four sockets: %v", got)
	}
	if err := s.Update(sockets[1:]); err != nil {
		t.Fatal(err)
	}
	if got := send(); got[0] != 0 || got[1] == 0 || got[2] == 0 || got[3] == 0 {
		t.Errorf("the last three of four: %v", got)
	}
	if err := s.Detach(sockets[0].FD); err != nil {
		t.Fatal(err)
	}
	if got := send(); got[0] == 0 || got[1] == 0 || got[2] == 0 || got[3] == 0 {
		t.Errorf("without the program: %v", got)
	}
	for range 3 { // the sockets are free for the next one at once
		if s, err = AttachSteering(ByFlow, Seed{}, sockets[3:]); err != nil {
			t.Fatal(err)
		}
		if got := send(); got[3] != 2*len(clients) {
			t.Errorf("the last one only: %v", got)
		}
		if err := s.Detach(sockets[0].FD); err != nil {
			t.Fatal(err)
		}
	}
}

// By CPU, what a CPU has received goes to its socket, whichever place that has.
func TestRootSteeringByCPU(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		t.Fatal(err)
	}
	cpu := 0
	for !before.IsSet(cpu) {
		cpu++
	}
	one.Set(cpu)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		t.Fatal(err)
	}
	defer unix.SchedSetaffinity(0, &before)
	conns, sockets := group(t, 3)
	sockets[1].CPU = cpu
	s, err := AttachSteering(ByCPU, Seed{}, sockets)
	if err != nil {
		skipIfUnsupported(t, err)
		t.Fatal(err)
	}
	defer s.Close()
	clients := dialGroup(t, conns, 16)
	for place := range 3 {
		for i := range sockets {
			sockets[i].CPU = maxCPUs + i // there is none
		}
		sockets[place].CPU = cpu
		if err := s.Update(sockets); err != nil {
			t.Fatal(err)
		}
		for _, c := range clients { // the loopback interface receives on the sender's CPU
			fmt.Fprint(c, "x")
		}
		if got := receivedBy(t, conns, len(clients)); got[place] != len(clients) {
			t.Errorf("CPU %d belongs to socket %d: %v", cpu, place, got)
		}
	}
}

func TestShardsOfCPUs(t *testing.T) {
	for _, c := range []struct {
		cpus []int
		want map[int]uint16
	}{
		{[]int{0, 1, 2, 3}, map[int]uint16{0: 0, 1: 1, 2: 2, 3: 3, 4: 0, 7: 3}},
		{[]int{2, 3}, map[int]uint16{2: 0, 3: 1, 0: 0, 1: 1, 4: 0}},
		{[]int{8, 1, 9}, map[int]uint16{8: 0, 1: 1, 9: 2, 0: 0, 3: 0, 5: 2}},
		{[]int{-1, maxCPUs}, map[int]uint16{0: 0, 1: 1, maxCPUs - 1: 1}},
	} {
		var sockets []Socket
		for _, cpu := range c.cpus {
			sockets = append(sockets, Socket{CPU: cpu})
		}
		table := shardsOfCPUs(sockets)
		for cpu, want := range c.want {
			if table[cpu] != want {
				t.Errorf("CPUs %v: CPU %d goes to socket %d, want %d", c.cpus, cpu, table[cpu], want)
			}
		}
	}
}

// Connections that wait at a listener when it is closed are accepted by another one, with what their clients have sent.
func TestRootSteeringMovesConnections(t *testing.T) {
	listen := func(port int) (fd int) {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1),
			unix.Bind(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, 16)); err != nil {
			t.Fatal(err)
		}
		return fd
	}
	first := listen(0)
	bound, err := unix.Getsockname(first)
	if err != nil {
		t.Fatal(err)
	}
	port := bound.(*unix.SockaddrInet4).Port
	second := listen(port)
	defer unix.Close(second)
	s, err := AttachSteering(ByFlow, Seed{}, []Socket{{FD: first}})
	if err != nil {
		unix.Close(first)
		skipIfUnsupported(t, err)
		t.Fatal(err)
	}
	defer s.Close()
	const clients = 8
	for i := range clients {
		c, err := net.DialTimeout("tcp4", fmt.Sprintf("127.0.0.1:%d", port), 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprint(c, string(rune('a'+i)))
	}
	if err := s.Update([]Socket{{FD: second}}); err != nil {
		t.Fatal(err)
	}
	Settle()
	unix.Close(first)
	var got []byte
	for range clients {
		if err := unix.SetsockoptTimeval(second, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 10}); err != nil {
			t.Fatal(err)
		}
		fd, _, err := unix.Accept(second)
		for err == unix.EINTR {
			fd, _, err = unix.Accept(second)
		}
		if err != nil {
			t.Fatalf("after %d connections: %v", len(got), err)
		}
		var b [1]byte
		n, err := unix.Read(fd, b[:])
		for err == unix.EINTR {
			n, err = unix.Read(fd, b[:])
		}
		unix.Close(fd)
		if n != 1 || err != nil {
			t.Fatalf("connection %d: read %d octets: %v", len(got), n, err)
		}
		got = append(got, b[0])
	}
	if slices.Sort(got); string(got) != "abcdefgh" {
		t.Errorf("%q has come through", got)
	}
}

// randomName is a name of so many octets, in random letter case, with any octets in its labels.
func randomName(rnd *rand.Rand, length int) dname.Name {
	var n dname.Name
	for left := length - 1; left > 0; {
		label := min(left-1, 1+rnd.IntN(63))
		if left-1-label == 1 { // one octet is no label
			if label < 63 {
				label++
			} else {
				label--
			}
		}
		n = append(n, byte(label))
		for range label {
			n = append(n, byte(rnd.Uint32()))
		}
		left -= 1 + label
	}
	return append(n, 0)
}
