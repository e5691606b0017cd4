package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/control"
)

// upgrade has another process take the daemon's place, and returns it. The test ends it.
func (d *daemon) upgrade() control.Upgrade {
	d.t.Helper()
	var u control.Upgrade
	d.ctlJSON(&u, "upgrade", "-within", patience.String())
	d.owns(u.PID)
	return u
}

// owns has the end of the test end a process that is not the test's child.
func (d *daemon) owns(pid int) {
	d.t.Cleanup(func() {
		if !gone(pid) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	})
}

// gone tells whether a process has ended. Nobody may have asked yet how.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(after, "Z") || strings.HasPrefix(after, "X")
}

// asker asks a daemon all the time, and counts.
type asker struct {
	t     *testing.T
	addr  string
	names int // how many different names
	stop  chan struct{}
	all   sync.WaitGroup
	asked atomic.Int64
}

func newAsker(t *testing.T, addr string, names int) *asker {
	return &asker{t: t, addr: addr, names: names, stop: make(chan struct{})}
}

// run asks until end is called. Each query is sent once, and has to be answered. With fresh, each has a connection of its own.
func (a *asker) run(network string, fresh bool) { a.begin(nil, network, fresh) }

// use is run over a connection that there is.
func (a *asker) use(c net.Conn) {
	a.begin(&dns.Conn{Conn: c, UDPSize: 4096}, c.RemoteAddr().Network(), false)
}

func (a *asker) begin(conn *dns.Conn, network string, fresh bool) {
	a.all.Go(func() {
		defer func() {
			if conn != nil {
				conn.Close()
			}
		}()
		for n := 0; ; n++ {
			select {
			case <-a.stop:
				return
			default:
			}
			if conn == nil || fresh {
				if conn != nil {
					conn.Close()
				}
				var err error
				if conn, err = dns.DialTimeout(network, a.addr, patience); err != nil {
					a.t.Errorf("%s: %v", network, err)
					return
				}
			}
			q := question(fmt.Sprintf("n%d.example.", n%a.names), dns.TypeA)
			conn.SetDeadline(time.Now().Add(patience))
			r, err := exchangeOn(conn, q)
			switch {
			case err != nil:
				a.t.Errorf("query %d over %s: %v", n, network, err)
				return
			case r.Id != q.Id || r.Rcode != dns.RcodeSuccess || len(r.Answer) != 1 || r.Question[0] != q.Question[0]:
				a.t.Errorf("query %d over %s: %v", n, network, r)
				return
			}
			a.asked.Add(1)
		}
	})
}

func exchangeOn(conn *dns.Conn, q *dns.Msg) (*dns.Msg, error) {
	if err := conn.WriteMsg(q); err != nil {
		return nil, err
	}
	return conn.ReadMsg()
}

// end stops asking, and returns how much was.
func (a *asker) end() int64 {
	close(a.stop)
	a.all.Wait()
	return a.asked.Load()
}

// more waits until so many more queries were answered.
func (a *asker) more(n int64) {
	a.t.Helper()
	from := a.asked.Load()
	until(a.t, "answers", func() bool { return a.asked.Load() >= from+n || a.t.Failed() })
}

// No query is lost while one process after the other takes the daemon's place: over UDP, over TCP, on a connection that stays,
// and one that is in the middle of a query when it changes hands.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, answerA)
	d := start(t, "[cpu]\nshards = 2\npin = false\n"+forward(".", up))
	a := newAsker(t, d.addr, 50)
	a.run("udp", false)
	a.run("udp", true)
	a.run("tcp", false)
	a.run("tcp", true)
	slow, err := net.Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	slow.SetDeadline(time.Now().Add(4 * patience))
	q, err := question("slow.example.", dns.TypeA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(q))), q...)
	pids := []int{d.cmd.Process.Pid}
	a.more(3000) // both shards have all names
	before := up.Count("") - up.Count("slow.example.")
	for n := range 5 {
		a.more(100)
		if _, err := slow.Write(framed[:5+n]); err != nil {
			t.Fatal(err)
		}
		a.more(20) // it has been read
		u := d.upgrade()
		if slices.Contains(pids, u.PID) || u.Shards != 2 {
			t.Errorf("upgraded to %+v, after %v", u, pids)
		}
		if _, err := slow.Write(framed[5+n:]); err != nil {
			t.Fatal(err)
		}
		response := make([]byte, 512)
		if got, err := io.ReadAtLeast(slow, response, 2+len(q)); err != nil || string(response[2:4]) != string(q[:2]) {
			t.Fatalf("on the slow connection %x, %v", response[:got], err)
		}
		until(t, "the end of the old process", func() bool { return gone(pids[len(pids)-1]) })
		var st control.Status
		if d.ctlJSON(&st, "status"); st.PID != u.PID || st.ShardsRunning != 2 {
			t.Errorf("status of process %d with %d shards, not of %d", st.PID, st.ShardsRunning, u.PID)
		}
		pids = append(pids, u.PID)
		if t.Failed() {
			return
		}
	}
	a.more(100)
	t.Logf("%d queries answered", a.end())
	// The caches have come along: nobody has been asked again.
	if n := up.Count("") - up.Count("slow.example.") - before; n > 0 {
		t.Errorf("%d names were resolved again", n)
	}
	// The last one ends as the first one would, with its launcher and its socket.
	syscall.Kill(pids[len(pids)-1], syscall.SIGTERM)
	until(t, "the end", func() bool {
		_, err := os.Lstat(d.socket)
		return errors.Is(err, os.ErrNotExist) && gone(pids[len(pids)-1])
	})
	until(t, "the end of all that was started", d.ended)
}
