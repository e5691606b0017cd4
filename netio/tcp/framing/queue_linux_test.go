package framing

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"
)

func socketPair(t testing.TB) (a, b int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fds[0]); unix.Close(fds[1]) })
	return fds[0], fds[1]
}

// Whatever the kernel takes at a time, the same messages come out.
func TestQueueToReader(t *testing.T) {
	a, b := socketPair(t)
	if err := unix.SetsockoptInt(a, unix.SOL_SOCKET, unix.SO_SNDBUF, 64<<10); err != nil {
		t.Fatal(err) // the system's default may be too large to refuse anything
	}
	pool := NewPool(1 << 30)
	rnd := rand.New(rand.NewPCG(3, 4))
	scratch := make([]byte, 5000)
	var (
		q             Queue
		r             Reader
		want          [][]byte
		got, refusals int
	)
	receive := func() {
		for {
			space := r.Space(pool, scratch)
			n, e := Recv(b, space)
			if e == unix.EAGAIN {
				r.Settle(pool)
				return
			}
			if e != 0 || n == 0 {
				t.Fatalf("%d octets, %v", n, e)
			}
			r.Advance(n)
			for {
				msg, status := r.Next()
				if status != Message {
					break
				}
				if !bytes.Equal(msg, want[got]) {
					t.Fatalf("message %d differs", got)
				}
				got++
			}
			r.Settle(pool)
		}
	}
	for len(want) < 2000 {
		msg := make([]byte, 1+rnd.IntN(3000))
		for i := range msg {
			msg[i] = byte(rnd.Uint32())
		}
		want = append(want, msg)
		if !q.Append(pool, msg) {
			t.Fatal("pool exhausted")
		}
		if rnd.IntN(20) == 0 {
			if q.Send(pool, a) == unix.EAGAIN {
				refusals++
			}
		}
		if rnd.IntN(200) == 0 {
			receive()
		}
	}
	for q.Len() > 0 {
		q.Send(pool, a)
		receive()
	}
	receive()
	if got != len(want) || r.Len() != 0 || refusals == 0 {
		t.Errorf("%d of %d messages, %d octets over, %d refusals", got, len(want), r.Len(), refusals)
	}
	if pool.Lent() != 0 {
		t.Errorf("%d bytes still lent", pool.Lent())
	}
}

func TestQueueAtPoolLimit(t *testing.T) {
	pool := NewPool(classes[0])
	var q Queue
	if !q.Append(pool, make([]byte, 600)) || q.Append(pool, make([]byte, 600)) || q.Len() != 602 {
		t.Errorf("%d octets queued", q.Len())
	}
	q.Reset(pool)
	if q.Append(pool, make([]byte, MaxMessage)) || pool.Lent() != 0 {
		t.Errorf("%d bytes lent", pool.Lent())
	}
}

func TestSendToClosedPeer(t *testing.T) {
	a, b := socketPair(t)
	unix.Close(b)
	pool := NewPool(1 << 20)
	var q Queue
	q.Append(pool, []byte("x"))
	if e := q.Send(pool, a); e != unix.EPIPE {
		t.Errorf("error %v", e)
	}
}

func TestStreamAllocs(t *testing.T) {
	a, b := socketPair(t)
	pool := NewPool(1 << 20)
	scratch := make([]byte, 4096)
	msg := make([]byte, 100)
	var q Queue
	var r Reader
	if n := testing.AllocsPerRun(100, func() {
		q.Append(pool, msg)
		q.Append(pool, msg)
		q.Send(pool, a)
		n, _ := Recv(b, r.Space(pool, scratch)[:150])
		r.Advance(n)
		r.Next()
		r.Settle(pool)
		n, _ = Recv(b, r.Space(pool, scratch))
		r.Advance(n)
		r.Next()
		r.Settle(pool)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
