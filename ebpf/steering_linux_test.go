package ebpf

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// group opens n sockets of one SO_REUSEPORT group on the loopback interface.
func group(t *testing.T, n int) (conns []*net.UDPConn, fds []int) {
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
		raw.Control(func(fd uintptr) { fds = append(fds, int(fd)) })
		conns = append(conns, conn)
	}
	return conns, fds
}

// The kernel and Go agree on the owner of every name, whatever its length and letter case, also after the
// number of sockets has changed.
func TestRootSteering(t *testing.T) {
	const seed = 0x1234_5678_9abc_def0
	conns, fds := group(t, 5)
	s, err := AttachSteering(seed, fds[:3])
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
	counts := make([]int, len(fds))
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
			lower := dname.AppendLower(nil, qname)
			owner := Owner(NameHash(seed, lower), n)
			counts[owner]++
			conns[owner].SetReadDeadline(time.Now().Add(10 * time.Second))
			got, _, err := conns[owner].ReadFromUDP(buf)
			if err != nil || !bytes.Equal(buf[:got], q) {
				t.Fatalf("socket %d did not get the query for a name of %d octets: %v", owner, length, err)
			}
		}
	}
	check(3)
	if err := s.Update(fds); err != nil {
		t.Fatal(err)
	}
	check(5)
	if err := s.Update(fds[:2]); err != nil {
		t.Fatal(err)
	}
	check(2)
	for i, n := range counts {
		if n < 20 {
			t.Errorf("socket %d owns only %d names", i, n)
		}
	}
	// What has no name is not lost.
	for _, junk := range []string{"x", "0123456789ab\xc0\x0c", "0123456789ab\x3fabc"} {
		fmt.Fprint(client, junk)
	}
	got := make(chan int, 8)
	for _, c := range conns {
		c.SetReadDeadline(time.Now().Add(2 * time.Second))
		go func() {
			n := 0
			for b := make([]byte, 512); ; n++ {
				if _, _, err := c.ReadFromUDP(b); err != nil {
					got <- n
					return
				}
			}
		}()
	}
	total := 0
	for range conns {
		total += <-got
	}
	if total != 3 {
		t.Errorf("%d of 3 messages without a name arrived", total)
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

func TestOwnerSpread(t *testing.T) {
	const names, shards = 20000, 7
	var got [shards]int
	for i := range names {
		got[Owner(NameHash(99, name(fmt.Sprintf("h%d.example.", i))), shards)]++
	}
	for s, n := range got {
		if n < names/shards*9/10 || n > names/shards*11/10 {
			t.Errorf("shard %d owns %d of %d names", s, n, names)
		}
	}
	if NameHash(1, name("a.example.")) == NameHash(2, name("a.example.")) {
		t.Error("the seed does not matter")
	}
	if NameHash(1, name("wWw.Example.")) != NameHash(1, name("www.example.")) {
		t.Error("letter case matters")
	}
}
