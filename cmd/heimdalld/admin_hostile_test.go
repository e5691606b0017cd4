package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"
)

func dialAdmin(t *testing.T, d *daemon) net.Conn {
	t.Helper()
	c, err := net.Dial("unix", d.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c
}

// What is no request is answered with an error, or the connection is closed. The daemon and its other
// administrators do not notice.
func TestHostileAdministrators(t *testing.T) {
	t.Parallel()
	d := start(t, forward(".", newUpstream(t, nil)))
	rnd := rand.New(rand.NewPCG(5, 9))
	lines := []string{
		"", "{}", "[]", "null", `"status"`, `{"command":7}`, `{"command":"stop"}`, `{"command":"status","args":{"x":1}}`,
		`{"command":"cache.flush","args":{"subtree":true}}`, `{"command":"cache.lookup","args":{"name":"a b","type":"A"}}`,
		`{"command":"cache.lookup","args":{"name":"` + strings.Repeat("a.", 600) + `","type":"A"}}`,
		`{"command":"cache.lookup","args":{"name":"\\999","type":"A"}}`,
		`{"command":"cache.lookup","args":{"name":"a","type":"TYPE99999"}}`,
		strings.Repeat("[", 4000), strings.Repeat("x", 4095), "\x00\xff\xfe",
	}
	for range 100 {
		noise := make([]byte, 1+rnd.IntN(200))
		for i := range noise {
			noise[i] = byte(rnd.Uint32())
		}
		lines = append(lines, string(bytes.ReplaceAll(noise, []byte("\n"), []byte(" "))))
	}
	c := dialAdmin(t, d)
	r := bufio.NewReader(c)
	for _, line := range lines {
		io.WriteString(c, line+"\n")
		got, err := r.ReadBytes('\n')
		if err != nil {
			t.Fatalf("%.60q: %v", line, err)
		}
		var reply struct {
			Error *struct{ Code, Message string }
		}
		if err := json.Unmarshal(got, &reply); err != nil || reply.Error == nil || reply.Error.Code == "" || reply.Error.Code == "internal" {
			t.Errorf("%.60q: %s", line, got)
		}
	}
	io.WriteString(c, `{"command":"status"}`+"\n")
	if got, err := r.ReadString('\n'); err != nil || !strings.Contains(got, `"data"`) {
		t.Errorf("a good request behind: %s, %v", got, err)
	}
	unhurt(t, d)
}

// A line without an end is cut off at its limit, and costs no memory.
func TestOverlongAdminLine(t *testing.T) {
	t.Parallel()
	d := start(t, forward(".", newUpstream(t, nil)))
	before := rss(t, d)
	c := dialAdmin(t, d)
	go func() {
		for chunk := bytes.Repeat([]byte("x"), 64<<10); ; {
			if _, err := c.Write(chunk); err != nil {
				return
			}
		}
	}()
	got, _ := io.ReadAll(c)
	if len(got) > 0 && !strings.Contains(string(got), "too_large") {
		t.Errorf("%s", got)
	}
	if after := rss(t, d); after > before+16<<20 {
		t.Errorf("%d bytes were resident, %d are", before, after)
	}
	stillRight(t, d, "www.example.")
	unhurt(t, d)
}

// A hundred administrators that say nothing, or ask and do not read, hurt neither the clients nor, once they
// are gone, other administrators.
func TestIdleAdministrators(t *testing.T) {
	t.Parallel()
	d := start(t, forward(".", newUpstream(t, nil)))
	var conns []net.Conn
	for i := range 100 {
		c := dialAdmin(t, d)
		if i%2 == 0 {
			io.WriteString(c, strings.Repeat(`{"command":"shards"}`+"\n", 20))
		}
		conns = append(conns, c)
	}
	stillRight(t, d, "www.example.")
	for _, c := range conns {
		c.Close()
	}
	until(t, "the admin socket to take commands", func() bool {
		_, code := d.ctl("status")
		return code == 0
	})
	unhurt(t, d)
	if n := descriptors(d); n > 200 {
		t.Errorf("%d descriptors are open", n)
	}
}
