package admin

import (
	"net"
	"testing"
	"time"
)

// patience bounds every wait. It is a guard against hanging, not a claim about speed.
const patience = 30 * time.Second

// Connections beyond the bound are closed at once; one that is closed makes room, once, however often it is closed.
func TestBoundedListener(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := newBoundedListener(inner, 2)
	defer l.Close()
	accepted := make(chan net.Conn, 8)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		t.Helper()
		c, err := net.DialTimeout("tcp", l.Addr().String(), patience)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(patience))
		return c
	}
	refused := func() {
		t.Helper()
		if n, err := dial().Read(make([]byte, 1)); err == nil {
			t.Fatalf("%d octets over a connection beyond the bound", n)
		}
	}
	dial()
	first := <-accepted
	dial()
	<-accepted
	refused()
	first.Close()
	first.Close()
	dial()
	<-accepted
	refused()
}
