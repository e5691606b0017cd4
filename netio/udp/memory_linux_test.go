package udp

import (
	"strings"
	"testing"

	"heimdall/netio"
)

// What comes lies in the memory that was given, one datagram behind the other.
func TestMemory(t *testing.T) {
	o := Options{Addr: addr("127.0.0.1:0"), Batch: 4}
	o.Memory = make([]byte, o.MemorySize())
	p := listenOn(t, o)
	c := dial(t, p, o.Addr.Addr())
	write(t, p, c, "first")
	write(t, p, c, "second")
	in := make([]netio.Datagram, 4)
	if n := p.Recv(in); n != 2 || string(in[0].Data) != "first" || string(in[1].Data) != "second" {
		t.Fatalf("%d datagrams: %v", n, in)
	}
	if stride := o.MemorySize() / 4; &in[0].Data[0] != &o.Memory[0] || &in[1].Data[0] != &o.Memory[stride] {
		t.Error("they lie elsewhere")
	}
	o.Memory = o.Memory[1:]
	if _, err := Listen(o); err == nil || !strings.Contains(err.Error(), "bytes of memory") {
		t.Errorf("with too little: %v", err)
	}
}
