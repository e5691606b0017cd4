package ebpf

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// The addresses of the tests.
var (
	server4 = netip.MustParseAddrPort("192.0.2.1:53")
	client4 = netip.MustParseAddrPort("198.51.100.2:4096")
	server6 = netip.MustParseAddrPort("[2001:db8::1]:53")
	client6 = netip.MustParseAddrPort("[2001:db8:1::2]:4096")
)

// frame is an Ethernet frame from a client to the server.
func frame(from, to netip.AddrPort, payload []byte, tags ...uint16) []byte {
	b := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}
	for _, tag := range tags {
		b = append(b, byte(tag>>8), byte(tag), 0, 7)
	}
	size := uint16(8 + len(payload))
	if to.Addr().Is4() {
		b = append(b, 8, 0)
		ip := []byte{0x45, 0, 0, 0, 0x12, 0x34, 0, 0, 63, 17, 0, 0}
		binary.BigEndian.PutUint16(ip[2:], 20+size)
		ip = append(append(ip, from.Addr().AsSlice()...), to.Addr().AsSlice()...)
		binary.BigEndian.PutUint16(ip[10:], checksum(0, ip))
		b = append(b, ip...)
	} else {
		b = append(b, 0x86, 0xdd, 0x60, 0, 0, 0)
		b = binary.BigEndian.AppendUint16(b, size)
		b = append(b, 17, 63)
		b = append(append(b, from.Addr().AsSlice()...), to.Addr().AsSlice()...)
	}
	b = binary.BigEndian.AppendUint16(b, from.Port())
	b = binary.BigEndian.AppendUint16(b, to.Port())
	b = binary.BigEndian.AppendUint16(b, size)
	b = append(b, 0x55, 0xaa) // unfinished, as over veth
	return append(b, payload...)
}

// checksum is the Internet checksum (RFC 1071) of b, in the slow and obvious way.
func checksum(sum uint32, b []byte) uint16 {
	for i, c := range b {
		if i%2 == 0 {
			sum += uint32(c) << 8
		} else {
			sum += uint32(c)
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

func name(text string) dname.Name {
	n, err := dname.ParseText(nil, text)
	if err != nil {
		panic(err)
	}
	return n
}

// query is a DNS query with RD; size 0: without an OPT.
func query(text string, t wire.Type, flags uint16, size uint16, do bool) []byte {
	q := wire.AppendQuery(nil, 0xbeef, wire.FlagRD|flags, name(text), t, wire.ClassIN)
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
		if sum := checksum(0, out[ip:udp]); sum != 0 {
			t.Errorf("IP checksum is off by %#x", sum)
		}
		if got := int(binary.BigEndian.Uint16(out[ip+2:])); got != size+20 {
			t.Errorf("IP length %d, want %d", got, size+20)
		}
	} else if got := int(binary.BigEndian.Uint16(out[ip+4:])); got != size {
		t.Errorf("IP length %d, want %d", got, size)
	}
	pseudo := binary.BigEndian.AppendUint32(bytes.Clone(out[at:at+2*width]), uint32(size))
	pseudo = append(pseudo, 0, 0, 0, 17)
	if sum := checksum(0, append(pseudo, out[udp:]...)); sum != 0 || binary.BigEndian.Uint16(out[udp+6:]) == 0 {
		t.Errorf("UDP checksum is off by %#x", sum)
	}
	if !bytes.Equal(out[udp:udp+2], in[udp+2:udp+4]) || !bytes.Equal(out[udp+2:udp+4], in[udp:udp+2]) {
		t.Errorf("ports %x", out[udp:udp+4])
	}
	return out[udp+8:]
}
