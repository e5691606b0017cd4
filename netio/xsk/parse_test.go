package xsk

import (
	"bytes"
	"encoding/binary"
	"testing"

	"heimdall/netio"
	"heimdall/netio/netiotest"
)

func TestParse(t *testing.T) {
	payload := []byte("0123456789abc")
	for _, tags := range [][]uint16{nil, {0x8100}, {0x88a8, 0x8100}} {
		for _, ends := range []struct{ from, to int }{{0, 0}, {1, 1}} {
			from, to := client4, server4
			if ends.from == 1 {
				from, to = client6, server6
			}
			var e netio.Endpoint
			var d datagram
			if !parse(append(frame(from, to, payload, tags...), 0, 0, 0), &e, &d) {
				t.Fatalf("%v with tags %x: not taken", from, tags)
			}
			if netiotest.Peer(e) != from || netiotest.Local(e) != to.Addr() || d.port != to.Port() || !bytes.Equal(d.payload, payload) ||
				d.ethernet != 14+4*len(tags) {
				t.Errorf("%v with tags %x: %v to %v port %d, %q behind %d octets", from, tags, netiotest.Peer(e), netiotest.Local(e), d.port, d.payload, d.ethernet)
			}
			if cap(d.payload) != len(d.payload) {
				t.Error("the payload can grow into the rest of the frame")
			}
		}
	}
}

// Each case changes one thing about a frame that is taken.
func TestParseRejects(t *testing.T) {
	const ip, udp4, udp6 = 14, 34, 54
	set := func(at int, v byte) func([]byte) []byte { return func(b []byte) []byte { b[at] = v; return b } }
	put16 := func(at int, v uint16) func([]byte) []byte {
		return func(b []byte) []byte { binary.BigEndian.PutUint16(b[at:], v); return b }
	}
	plain4, plain6 := frame(client4, server4, make([]byte, 20)), frame(client6, server6, make([]byte, 20))
	for _, c := range []struct {
		name   string
		from   []byte
		change func([]byte) []byte
	}{
		{"nothing", plain4, func([]byte) []byte { return nil }},
		{"to a group", plain4, set(0, 1)},
		{"from a group", plain4, set(6, 1)},
		{"ARP", plain4, put16(12, 0x0806)},
		{"three tags", frame(client4, server4, nil, 0x88a8, 0x8100, 0x8100), func(b []byte) []byte { return b }},
		{"IP options", plain4, set(ip, 0x46)},
		{"TCP", plain4, set(ip+9, 6)},
		{"first fragment", plain4, set(ip+6, 0x20)},
		{"last fragment", plain4, set(ip+7, 1)},
		{"longer than the frame", plain4, func(b []byte) []byte { return b[:len(b)-1] }},
		{"IP total too short", plain4, put16(ip+2, 27)},
		{"UDP shorter than IP", plain4, put16(udp4+4, 27)},
		{"UDP longer than IP", plain4, put16(udp4+4, 29)},
		{"UDP without length", plain4, put16(udp4+4, 0)},
		{"from port 0", plain4, put16(udp4, 0)},
		{"to port 0", plain4, put16(udp4+2, 0)},
		{"IPv6 in name only", plain6, set(ip, 0x45)},
		{"IPv6 extension", plain6, set(ip+6, 44)},
		{"IPv6 cut off", plain6, func(b []byte) []byte { return b[:ip+ipv6Size+7] }},
		{"IPv6 longer than the frame", plain6, put16(ip+4, 29)},
		{"IPv6 without UDP header", plain6, put16(ip+4, 7)},
		{"IPv6 UDP of another length", plain6, put16(udp6+4, 27)},
		{"IPv6 from port 0", plain6, put16(udp6, 0)},
		{"from IPv4 in IPv6 form", plain6, func(b []byte) []byte { copy(b[ip+8:], mapped[:12]); return b }},
		{"to IPv4 in IPv6 form", plain6, func(b []byte) []byte { copy(b[ip+24:], mapped[:12]); return b }},
	} {
		var e netio.Endpoint
		var d datagram
		if parse(c.change(bytes.Clone(c.from)), &e, &d) {
			t.Errorf("%s: taken", c.name)
		}
	}
}

// FuzzFrames: no frame makes parse read outside of it; and what parses, rebuilt as a response and turned round,
// parses to the same, with sound checksums.
func FuzzFrames(f *testing.F) {
	f.Add(frame(client4, server4, []byte("query")))
	f.Add(frame(client6, server6, []byte("queries"), 0x8100))
	f.Add(frame(client6, server6, nil, 0x88a8, 0x8100))
	f.Fuzz(func(t *testing.T, in []byte) {
		in = in[:len(in):len(in)]
		var e netio.Endpoint
		var d datagram
		if !parse(in, &e, &d) {
			return
		}
		if len(d.payload) > frameSize-maxEthernet-ipv6Size-udpSize {
			return
		}
		var l link
		l.answering(in, d.ethernet)
		var mem [frameSize]byte
		out := mem[:build(mem[:], &l, &e, d.port, 7, d.payload)]
		var e2 netio.Endpoint
		var d2 datagram
		if !parse(out, &e2, &d2) {
			t.Fatalf("%x was made %x, which does not parse", in, out)
		}
		if e2.Addr != e.Local || e2.Local != e.Addr || e2.Port != d.port || d2.port != e.Port || !bytes.Equal(d2.payload, d.payload) {
			t.Fatalf("%x was made %x", in, out)
		}
		if !bytes.Equal(out[:6], in[6:12]) || !bytes.Equal(out[6:12], in[:6]) || !bytes.Equal(out[12:d2.ethernet], in[12:d.ethernet]) {
			t.Fatalf("%x goes back with %x", in[:d.ethernet], out[:d2.ethernet])
		}
		checkSums(t, out, d2.ethernet)
	})
}

// checkSums checks the checksums of a frame whose IP header begins at ip.
func checkSums(t *testing.T, b []byte, ip int) {
	t.Helper()
	udp, addresses := ip+ipv4Size, b[ip+12:ip+20]
	if b[ip]>>4 == 6 {
		udp, addresses = ip+ipv6Size, b[ip+8:ip+40]
	} else if netiotest.Checksum(b[ip:udp]) != 0 {
		t.Fatalf("wrong IPv4 checksum in %x", b)
	}
	pseudo := append(bytes.Clone(addresses), 0, protocolUDP, b[udp+4], b[udp+5])
	if netiotest.Checksum(append(pseudo, b[udp:]...)) != 0 || binary.BigEndian.Uint16(b[udp+6:]) == 0 {
		t.Fatalf("wrong UDP checksum in %x", b)
	}
}
