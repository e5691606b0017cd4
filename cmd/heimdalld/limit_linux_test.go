package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"
)

// limitLab is a pair whose daemon serves *.limit.test with its XDP program attached.
type limitLab struct{ *veth }

// limitMetrics is where the daemon tells its metrics.
const limitMetrics = "192.0.2.1:9153"

// newLimitLab starts the daemon with the XDP program in a mode.
func newLimitLab(t *testing.T, mode, limit string) *limitLab {
	t.Helper()
	l := &limitLab{newVeth(t, 1)}
	l.writeFile(t, "zone", "$TTL 300\n@ SOA ns host 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n* A 192.0.2.99\n")
	l.run(t, limitConfig(mode, limit), l.netns()...)
	return l
}

func limitConfig(mode, limit string) string {
	return fmt.Sprintf("[server]\nlisten = [%q]\n[cpu]\nshards = 1\n[recursion]\nenabled = false\n[xdp]\nmode = %q\ninterfaces = [%q]\nanswer_cache = false\n%s\n"+
		"[admin]\nsocket = \"admin.sock\"\nmetrics = %q\n[[zone]]\nname = \"limit.test.\"\nfile = \"zone\"\n", vethIPv4, mode, vethServer, limit, limitMetrics)
}

// metrics returns what the daemon tells Prometheus.
func (l *limitLab) metrics() string {
	l.t.Helper()
	conn := l.Dial(l.t, "tcp", "192.0.2.2", limitMetrics)
	client := http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil },
	}}
	r, err := client.Get("http://" + limitMetrics + "/metrics")
	if err != nil {
		l.t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return string(body)
}

func (l *limitLab) reload(mode, limit string) {
	l.t.Helper()
	l.writeFile(l.t, "config.toml", limitConfig(mode, limit))
	if out, code := l.ctl("reload"); code != 0 {
		l.t.Fatalf("reload: %s", out)
	}
}

// connect connects a client's address to the daemon.
func (l *limitLab) connect(network, from string) *dns.Conn {
	l.t.Helper()
	return &dns.Conn{Conn: l.Dial(l.t, network, from, vethIPv4), UDPSize: 4096}
}

// flood sends n queries for random names from an address without waiting for answers.
func (l *limitLab) flood(from string, n int) {
	l.t.Helper()
	c := l.connect("udp", from)
	for i := range n {
		if err := c.WriteMsg(question(fmt.Sprintf("r%d.limit.test.", i), dns.TypeA)); err != nil {
			l.t.Fatal(err)
		}
	}
}

// answered asks n questions from an address, one after the other, and returns how many were answered in full and
// with TC.
func (l *limitLab) answered(network, from string, n int, patience time.Duration) (full, truncated int) {
	l.t.Helper()
	c := l.connect(network, from)
	for i := range n {
		q := question(fmt.Sprintf("g%d.limit.test.", i), dns.TypeA)
		if err := c.WriteMsg(q); err != nil {
			l.t.Fatal(err)
		}
		c.SetReadDeadline(time.Now().Add(patience))
		r, err := c.ReadMsg()
		switch {
		case err != nil || r.Id != q.Id:
		case r.Truncated:
			truncated++
		case len(r.Answer) == 1:
			full++
		}
	}
	return full, truncated
}

// A flood from one address is dropped in the kernel, and its neighbour gets all its answers.
func TestRootLimitInKernel(t *testing.T) {
	for _, mode := range []string{"native", "generic"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			l := newLimitLab(t, mode, slowLimit+"slip = 0\n")
			// Both ends know the other's link address then; TCP costs no token.
			if full, _ := l.answered("tcp", "192.0.2.3", 1, patience); full != 1 {
				t.Fatal("no answer over TCP")
			}
			l.flood("192.0.2.3", 5000)
			if full, _ := l.answered("udp", "192.0.2.2", 15, patience); full != 15 {
				t.Errorf("the other client got %d of 15 answers", full)
			}
			if full, _ := l.answered("tcp", "192.0.2.3", 10, patience); full != 10 {
				t.Errorf("%d of 10 answers over TCP", full)
			}
			by := l.exits()
			// A second is worth one query, and a machine that halts may lose some in the queues before the program.
			if n := by["drop_limit"]; l.xdp().Interfaces[0].Mode != mode || n < 4500 || n > 4980 {
				t.Errorf("%d dropped in the kernel, want 4980: %v", n, by)
			}
			if n := dropped(l.daemon)["limited"]; n > 0 {
				t.Errorf("%d were limited by a shard too", n)
			}
			metrics := l.metrics()
			for _, want := range []string{
				fmt.Sprintf(`heimdall_xdp_packets_total{exit="drop_limit"} %d`, by["drop_limit"]), `heimdall_xdp_packets_total{exit="send_answer"} 0`,
				fmt.Sprintf(`heimdall_xdp_attached{interface=%q,mode=%q} 1`, vethServer, mode), "heimdall_xdp_answers 0",
			} {
				if !strings.Contains(metrics, want+"\n") {
					t.Errorf("the metrics lack %s:\n%s", want, metrics)
				}
			}
			// A reload changes rate and lists while the program stays attached.
			l.reload(mode, "[limit]\ndeny = [\"192.0.2.3/32\"]\n")
			if full, _ := l.answered("udp", "192.0.2.3", 5, 20*time.Millisecond); full > 0 {
				t.Errorf("%d of 5 answers to a denied client", full)
			}
			if by := l.exits(); by["drop_denied"] != 5 {
				t.Errorf("%d denied in the kernel, want 5", by["drop_denied"])
			}
			l.reload(mode, slowLimit+"exempt = [\"192.0.2.3/32\"]\n")
			if full, _ := l.answered("udp", "192.0.2.3", 60, patience); full != 60 {
				t.Errorf("%d of 60 answers to an exempt client", full)
			}
			l.reload(mode, "")
			if full, _ := l.answered("udp", "192.0.2.3", 60, patience); full != 60 {
				t.Errorf("%d of 60 answers without a limit", full)
			}
		})
	}
}

// The kernel answers with TC what it limits, and what goes around it, such as fragments, the shards limit.
func TestRootLimitSlipInKernel(t *testing.T) {
	l := newLimitLab(t, "generic", slowLimit+"slip = 1\n")
	full, truncated := l.answered("udp", "192.0.2.3", 60, patience)
	if full < 20 || full > 40 || full+truncated != 60 {
		t.Errorf("%d of 60 answered, %d with TC; want 20 and 40", full, truncated)
	}
	if by := l.exits(); by["send_slip"] != uint64(truncated) {
		t.Errorf("%d slipped in the kernel, %d came", by["send_slip"], truncated)
	}
	// Two queries a second are the shards': with the IP option "no operation" the program passes them.
	l.reload("generic", slowLimit+"slip = 0\n")
	c := l.connect("udp", "192.0.2.3")
	raw, err := c.Conn.(*net.UDPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		if err := unix.SetsockoptString(int(fd), unix.IPPROTO_IP, unix.IP_OPTIONS, "\x01\x01\x01\x01"); err != nil {
			t.Error(err)
		}
	})
	for i := range 500 {
		if err := c.WriteMsg(question(fmt.Sprintf("r%d.limit.test.", i), dns.TypeA)); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the shards to limit", func() bool { return dropped(l.daemon)["limited"] > 0 })
	if by := l.exits(); by["pass_ip_options"] != 500 {
		t.Errorf("%d with IP options were passed, want 500", by["pass_ip_options"])
	}
}
