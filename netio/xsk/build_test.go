package xsk

import (
	"bytes"
	"testing"

	"heimdall/netio"
)

// A response is, octet for octet, what the slow builder of the tests makes, for each length.
func TestBuild(t *testing.T) {
	payload := make([]byte, 600)
	for i := range payload {
		payload[i] = byte(i * 7)
	}
	for n := range payload {
		for _, tags := range [][]uint16{nil, {0x8100}, {0x88a8, 0x8100}} {
			query := frame(client4, server4, payload[:20], tags...)
			want := frame(server4, client4, payload[:n], tags...)
			if n%2 == 1 {
				query = frame(client6, server6, payload[:20], tags...)
				want = frame(server6, client6, payload[:n], tags...)
			}
			copy(want, query[6:12])
			copy(want[6:], query[:6])
			var e netio.Endpoint
			var d datagram
			if !parse(query, &e, &d) {
				t.Fatal("query not taken")
			}
			var l link
			l.answering(query, d.ethernet)
			got := bytes.Repeat([]byte{0xee}, frameSize) // a frame is used again and again
			got = got[:build(got, &l, &e, d.port, 0, payload[:n])]
			if !bytes.Equal(got, want) {
				t.Fatalf("%d octets with tags %x:\n%x, want\n%x", n, tags, got, want)
			}
		}
	}
}

// RFC 768: a checksum of zero is sent as all ones. Two octets of payload make it come out so.
func TestBuildZeroChecksum(t *testing.T) {
	for _, ends := range [][2]int{{4, 0}, {6, 0}} {
		query := frame(client4, server4, nil)
		if ends[0] == 6 {
			query = frame(client6, server6, nil)
		}
		var e netio.Endpoint
		var d datagram
		parse(query, &e, &d)
		var l link
		l.answering(query, d.ethernet)
		var b [frameSize]byte
		n := build(b[:], &l, &e, d.port, 0, []byte{0, 0})
		sum := b[n-4 : n-2] // with it as the payload, the sum is complete
		n = build(b[:], &l, &e, d.port, 0, bytes.Clone(sum))
		if b[n-4] != 0xff || b[n-3] != 0xff {
			t.Errorf("IPv%d: checksum %x", ends[0], b[n-4:n-2])
		}
		checkSums(t, b[:n], d.ethernet)
	}
}

func BenchmarkBuild(b *testing.B) {
	query := frame(client4, server4, nil)
	var e netio.Endpoint
	var d datagram
	parse(query, &e, &d)
	var l link
	l.answering(query, d.ethernet)
	var mem [frameSize]byte
	payload := make([]byte, 62)
	for b.Loop() {
		build(mem[:], &l, &e, d.port, 0, payload)
	}
}

func BenchmarkParse(b *testing.B) {
	query := frame(client4, server4, make([]byte, 40))
	var e netio.Endpoint
	var d datagram
	for b.Loop() {
		if !parse(query, &e, &d) {
			b.Fatal("not taken")
		}
	}
}
