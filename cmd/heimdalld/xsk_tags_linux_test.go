package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"

	"heimdall/netio/netiotest"
	"heimdall/netio/vethtest"
)

// A query with VLAN tags is answered to the MAC address that it came from, with the same tags.
func TestRootXSKTags(t *testing.T) {
	w := newXSKLab(t, 1)
	w.serve(t, xskConfig("native", "xsk", "1"))
	w.query(t, vethIPv4, question("www.zone.", dns.TypeA)) // so that both ends know each other
	for _, tags := range [][]uint16{{7}, {0x2fff}, {9, 7}} {
		raw := openRaw(t, w)
		q := question("www.zone.", dns.TypeA)
		msg, err := q.Pack()
		if err != nil {
			t.Fatal(err)
		}
		mac := net.HardwareAddr{2, 0, 0, 0, 7, byte(len(tags))} // of a neighbour behind the wire
		raw.send(t, mac, tags, msg)
		raw.await(t, mac, tags, q.Id)
	}
}

// packetSocket is a packet socket on the client's end of the wire.
type packetSocket struct {
	fd     int
	server net.HardwareAddr
}

func openRaw(t *testing.T, w *xskLab) (r packetSocket) {
	t.Helper()
	var err error
	vethtest.Within(t, w.client, func() {
		var nic *net.Interface
		if nic, err = net.InterfaceByName(vethClient); err != nil {
			return
		}
		all := binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL})
		if r.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(all)); err != nil {
			return
		}
		if err = unix.Bind(r.fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: nic.Index}); err == nil {
			err = unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1)
		}
		// Frames to MAC addresses of others are wanted too.
		if err == nil {
			err = unix.SetsockoptPacketMreq(r.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &unix.PacketMreq{Ifindex: int32(nic.Index), Type: unix.PACKET_MR_PROMISC})
		}
	})
	if err == nil {
		vethtest.Within(t, w.server, func() {
			var nic *net.Interface
			if nic, err = net.InterfaceByName(vethServer); err == nil {
				r.server = nic.HardwareAddr
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(r.fd) })
	return r
}

// The client of the raw frames.
const rawPort = 4097

// send sends a query over IPv4 with VLAN tags.
func (r packetSocket) send(t *testing.T, from net.HardwareAddr, tags []uint16, msg []byte) {
	t.Helper()
	b := append(append([]byte{}, r.server...), from...)
	for i, tag := range tags {
		proto := uint16(unix.ETH_P_8021Q)
		if i < len(tags)-1 {
			proto = unix.ETH_P_8021AD
		}
		b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, proto), tag)
	}
	datagram := netiotest.UDP{From: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.2"), rawPort), To: netip.MustParseAddrPort(vethIPv4), Payload: msg}
	b = append(b, datagram.Frame()[12:]...) // behind the MAC addresses
	if _, err := unix.Write(r.fd, b); err != nil {
		t.Fatal(err)
	}
}

// await waits for the response, whose outer tag the kernel has put beside the frame.
func (r packetSocket) await(t *testing.T, to net.HardwareAddr, tags []uint16, id uint16) {
	t.Helper()
	tv := unix.NsecToTimeval(int64(5 * time.Second))
	if err := unix.SetsockoptTimeval(r.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
		t.Fatal(err)
	}
	b, oob := make([]byte, 2048), make([]byte, 256)
	for {
		n, oobn, _, _, err := unix.Recvmsg(r.fd, b, oob, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			t.Fatalf("tags %x: no response: %v", tags, err)
		}
		if n < 42 || string(b[6:12]) != string(r.server) {
			continue // what the client's end sends itself
		}
		var got []uint16
		controls, err := unix.ParseSocketControlMessage(oob[:oobn])
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range controls {
			// struct tpacket_auxdata: status at 0, vlan_tci at 16.
			if c.Header.Level == unix.SOL_PACKET && c.Header.Type == unix.PACKET_AUXDATA && binary.NativeEndian.Uint32(c.Data)&unix.TP_STATUS_VLAN_VALID != 0 {
				got = append(got, binary.NativeEndian.Uint16(c.Data[16:]))
			}
		}
		at := 12
		for at+4 < n && binary.BigEndian.Uint16(b[at:]) == unix.ETH_P_8021Q {
			got = append(got, binary.BigEndian.Uint16(b[at+2:]))
			at += 4
		}
		udp := at + 2 + 20
		if binary.BigEndian.Uint16(b[at:]) != unix.ETH_P_IP || udp+8 > n || binary.BigEndian.Uint16(b[udp+2:]) != rawPort {
			continue
		}
		m := new(dns.Msg)
		if err := m.Unpack(b[udp+8 : n]); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(tags) || net.HardwareAddr(b[:6]).String() != to.String() || m.Id != id || len(m.Answer) != 1 {
			t.Errorf("to a query with tags %x from %v came, with tags %x to %v:\n%v", tags, to, got, net.HardwareAddr(b[:6]), m)
		}
		return
	}
}

// Clients on a VLAN get their answers on it, from each tier, over network cards. TestRootXSKTags is its like over veth, also
// where the kernel knows no VLAN interfaces.
func TestExternalVLAN(t *testing.T) {
	w := newXSKLab(t, 2)
	for _, end := range []struct{ name, nic, addr string }{{w.server, vethServer, "198.18.7.1/24"}, {w.client, vethClient, "198.18.7.2/24"}} {
		for _, line := range []string{
			// Tags are to be in the frames.
			"sh -c {ethtool -K " + end.nic + " rxvlan off txvlan off rx-vlan-stag-hw-parse off tx-vlan-stag-hw-insert off || true}",
			"ip link add link " + end.nic + " name vlan7 type vlan id 7", "ip addr add " + end.addr + " dev vlan7", "ip link set vlan7 up",
		} {
			command := strings.Fields(line)
			if at := strings.IndexByte(line, '{'); at > 0 {
				command = []string{"sh", "-c", strings.Trim(line[at:], "{}")}
			}
			if err := vethtest.Change(end.name, command...); err != nil {
				t.Fatal(err)
			}
		}
		t.Cleanup(func() { vethtest.Change(end.name, "ip", "link", "del", "vlan7") }) // a card keeps it
	}
	if err := vethtest.Change(w.client, "ip", "route", "add", "192.0.2.1/32", "via", "198.18.7.1", "dev", "vlan7"); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"native", "generic"} {
		w.serve(t, "[cpu]\nshards = 2\npin = false\n[io]\nbackend = \"xsk\"\n[xdp]\nmode = \""+mode+"\"")
		s := tierSetup{mode, "xsk", "flow"}
		counts := w.tiers(t, s)
		got := w.since(t, s, &counts, func() {
			for range tierQueries {
				w.query(t, vethIPv4, question("www.zone.", dns.TypeA))
				w.query(t, vethIPv4, question("big1100.zone.", dns.TypeTXT).SetEdns0(1400, false))
				w.query(t, vethIPv4, question("big3000.zone.", dns.TypeTXT).SetEdns0(4096, false))
			}
		})
		t.Logf("%s mode, of %d queries on a VLAN %v", mode, 3*tierQueries, got)
		if got.kernel < tierQueries || got.raw < 2*tierQueries {
			t.Errorf("%s mode: each tier was to answer", mode)
		}
		w.stop(syscall.SIGTERM)
	}
}
