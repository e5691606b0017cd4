package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/control"
	"heimdall/netio/vethtest"
)

// xskLab is a pair whose daemon forwards what is not below zone. to an upstream in its namespace.
type xskLab struct {
	*veth
	upstream *upstream
}

func newXSKLab(t *testing.T, queues int) *xskLab {
	t.Helper()
	w := &xskLab{veth: newVeth(t, queues)}
	vethtest.Within(t, w.server, func() { w.upstream = newUpstream(t, nil) })
	return w
}

// serve starts the daemon. The text ends with [xdp], without interfaces.
func (w *xskLab) serve(t *testing.T, text string) {
	t.Helper()
	w.serveBy(t, w.netns(), text)
}

// serveBy starts it by a command that runs others in the namespace.
func (w *xskLab) serveBy(t *testing.T, command []string, text string) {
	t.Helper()
	zone := "$ORIGIN zone.\n@ 3600 SOA ns admin 1 2 3 4 5\n@ NS ns\nwww A 192.0.2.7\n"
	for _, size := range []int{1100, 1300, 3000} { // octets of text
		zone += fmt.Sprintf("big%d TXT%s\n", size, strings.Repeat(" "+strings.Repeat("x", 100), size/100))
	}
	w.writeFile(t, "zone", zone)
	w.run(t, fmt.Sprintf(`[server]
listen = [%q, %q]
udp_payload = 4096
[recursion]
validation = false
allow = ["0.0.0.0/0", "::/0"]
[admin]
socket = "admin.sock"
%s
interfaces = [%q]
[[zone]]
name = "zone."
file = "zone"
`, vethIPv4, vethIPv6, text, vethServer)+forward(".", w.upstream), command...)
}

// query asks over UDP until there is a response, as a client does.
func (w *xskLab) query(t *testing.T, to string, q *dns.Msg) *dns.Msg {
	t.Helper()
	c := dns.Client{Timeout: 2 * time.Second, UDPSize: 4096}
	conn := w.Dial(t, "udp", "", to)
	var last error
	for range 5 {
		r, _, err := c.ExchangeWithConn(q, &dns.Conn{Conn: conn, UDPSize: 4096})
		if err == nil {
			return r
		}
		last = err
	}
	t.Fatalf("%s at %s: %v", q.Question[0].String(), to, last)
	return nil
}

// queues lists the receive queues of all shards.
func (w *xskLab) queues(t *testing.T) (all [][]control.Queue) {
	t.Helper()
	var s control.Shards
	w.ctlJSON(&s, "shards")
	for i := range s.Shards {
		all = append(all, s.Shards[i].Queues)
	}
	return all
}

// received is how many queries came by AF_XDP.
func (w *xskLab) received(t *testing.T) (n uint64) {
	t.Helper()
	for _, q := range slices.Concat(w.queues(t)...) {
		n += q.Received
	}
	return n
}
