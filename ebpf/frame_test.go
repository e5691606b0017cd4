package ebpf

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"heimdall/core/dname/dnametest"
	"heimdall/core/wire"
	"heimdall/netio/netiotest"
)

// The addresses of the tests.
var (
	server4 = netip.MustParseAddrPort("192.0.2.1:53")
	client4 = netip.MustParseAddrPort("198.51.100.2:4096")
	server6 = netip.MustParseAddrPort("[2001:db8::1]:53")
	client6 = netip.MustParseAddrPort("[2001:db8:1::2]:4096")
)

// frame is an Ethernet frame from a client to the server. Its UDP checksum is unfinished, as over veth.
func frame(from, to netip.AddrPort, payload []byte, tags ...uint16) []byte {
	b := netiotest.UDP{From: from, To: to, Tags: tags, ID: 0x1234, TTL: 63, Payload: payload}.Frame()
	b[len(b)-len(payload)-2], b[len(b)-len(payload)-1] = 0x55, 0xaa
	return b
}

// query is a DNS query with RD; size 0: without an OPT.
func query(text string, t wire.Type, flags uint16, size uint16, do bool) []byte {
	q := wire.AppendQuery(nil, 0xbeef, wire.FlagRD|flags, dnametest.Name(text), t, wire.ClassIN)
	if size > 0 {
		q = wire.AppendOPT(q, wire.OPT{UDPSize: size, DO: do})
	}
	return q
}

// checkFrame checks that out is a whole and sound frame that goes back to where in came from, and returns its
// UDP payload.
func checkFrame(t *testing.T, in, out []byte) []byte {
	t.Helper()
	if !bytes.Equal(out[:6], in[6:12]) || !bytes.Equal(out[6:12], in[:6]) {
		t.Errorf("MAC addresses %x", out[:12])
	}
	ip := 14
	for out[ip-2] == 0x81 || out[ip-2] == 0x88 {
		ip += 4
	}
	if !bytes.Equal(out[12:ip], in[12:ip]) {
		t.Errorf("tags %x, want %x", out[12:ip], in[12:ip])
	}
	udp, width, at := ip+20, 4, ip+12
	if out[ip]>>4 == 6 {
		udp, width, at = ip+40, 16, ip+8
	}
	if !bytes.Equal(out[at:at+width], in[at+width:at+2*width]) || !bytes.Equal(out[at+width:at+2*width], in[at:at+width]) {
		t.Errorf("IP addresses %x", out[at:at+2*width])
	}
	size := len(out) - udp
	if got := int(binary.BigEndian.Uint16(out[udp+4:])); got != size {
		t.Errorf("UDP length %d, want %d", got, size)
	}
	if width == 4 {
		if sum := netiotest.Checksum(out[ip:udp]); sum != 0 {
			t.Errorf("IP checksum is off by %#x", sum)
		}
		if got := int(binary.BigEndian.Uint16(out[ip+2:])); got != size+20 {
			t.Errorf("IP length %d, want %d", got, size+20)
		}
	} else if got := int(binary.BigEndian.Uint16(out[ip+4:])); got != size {
		t.Errorf("IP length %d, want %d", got, size)
	}
	if sum := netiotest.Checksum(out[at:at+2*width], []byte{0, 17, byte(size >> 8), byte(size)}, out[udp:]); sum != 0 || binary.BigEndian.Uint16(out[udp+6:]) == 0 {
		t.Errorf("UDP checksum is off by %#x", sum)
	}
	if !bytes.Equal(out[udp:udp+2], in[udp+2:udp+4]) || !bytes.Equal(out[udp+2:udp+4], in[udp:udp+2]) {
		t.Errorf("ports %x", out[udp:udp+4])
	}
	return out[udp+8:]
}
