package ebpf

import (
	"encoding/binary"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"heimdall/core/wire"
)

// inNewNamespace calls f in a network namespace of its own, where the test runner's packets come on its loopback
// interface.
func inNewNamespace(t *testing.T, f func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for ever: the thread ends, and the namespace with it
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			defer close(done)
			f()
			return
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Skip("takes root, to make network namespaces: ", err)
	}
}

// The source of a query is looked for as rp_filter does; what fails goes to the stack.
func TestRootReversePath(t *testing.T) {
	q := query("www.example.", wire.TypeA, 0, 0, false)
	// tags are pairs of protocol and tag.
	from := func(client string, tags ...uint16) []byte {
		ap, to := netip.AddrPortFrom(netip.MustParseAddr(client), 4000), server4
		if ap.Addr().Is6() {
			to = server6
		}
		var protocols []uint16
		for i := 0; i < len(tags); i += 2 {
			protocols = append(protocols, tags[i])
		}
		in := frame(ap, to, q, protocols...)
		for i := 1; i < len(tags); i += 2 {
			binary.BigEndian.PutUint16(in[12+2*i:], tags[i])
		}
		return in
	}
	for _, way := range []ReversePath{ReverseOff, ReverseLoose, ReverseStrict} {
		p := load(t, Options{Entries: 16, Reverse: way})
		p.publish(t, addressA(p.now()))
		// As if the loopback interface had a VLAN.
		for key, index := range map[xdpArrival]uint32{{Index: 1, Outer: 7 | tagCustomer}: 1, {Index: 1, Outer: 9 | tagService, Inner: 7 | tagCustomer}: 1, {Index: 1, Outer: 8 | tagCustomer}: 99} {
			if err := p.objs.Arrivals.Put(&key, index); err != nil {
				t.Fatal(err)
			}
		}
		inNewNamespace(t, func() {
			forward := func(value string) {
				for _, family := range []string{"ipv4", "ipv6"} {
					if err := os.WriteFile("/proc/sys/net/"+family+"/conf/lo/forwarding", []byte(value), 0); err != nil {
						t.Error(err)
					}
				}
			}
			for _, line := range []string{
				"link set lo up", "link add d0 type veth peer name d1", "link set d0 up", "link set d1 up",
				"route add 198.51.100.0/24 dev lo", "route add 203.0.113.0/24 dev d0", "route add blackhole 198.18.0.0/24",
				"-6 route add 2001:db8:1::/48 dev lo", "-6 route add 2001:db8:2::/48 dev d0", "-6 route add unreachable 2001:db8:3::/48",
			} {
				if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
					t.Errorf("ip %s: %v: %s", line, err, out)
					return
				}
			}
			forward("1")
			const off, loose, strict = 1, 2, 4 // who answers
			for _, c := range []struct {
				in      []byte
				answers int
			}{
				{from("198.51.100.2"), off | loose | strict},
				{from("2001:db8:1::2"), off | loose | strict},
				{from("203.0.113.2"), off | loose},
				{from("2001:db8:2::2"), off | loose},
				{from("198.18.0.2"), off},
				{from("2001:db8:3::2"), off},
				{from("192.0.2.77"), off},    // no route
				{from("2001:db8:4::2"), off}, // no route
				{from("192.0.2.1"), off},     // the server's own, as any without a route
				{from("198.51.100.2", 0x8100, 7), off | loose | strict},
				{from("198.51.100.2", 0x8100, 0xe007), off | loose | strict},
				{from("198.51.100.2", 0x88a8, 9, 0x8100, 7), off | loose | strict},
				{from("198.51.100.2", 0x8100, 8), off | loose},
				{from("198.51.100.2", 0x88a8, 7), off | loose}, // another kind of tag
				{from("198.51.100.2", 0x8100, 6), off | loose}, // no such VLAN
			} {
				if c.answers>>way&1 == 1 {
					p.try(t, c.in, Send, Exit(xdpExitSEND_ANSWER))
				} else {
					p.try(t, c.in, Pass, Exit(xdpExitPASS_REVERSE_PATH))
				}
			}
			// Without that the helper finds nothing, and nobody is believed.
			forward("0")
			for _, in := range [][]byte{from("198.51.100.2"), from("2001:db8:1::2")} {
				if way == ReverseOff {
					p.try(t, in, Send, Exit(xdpExitSEND_ANSWER))
				} else {
					p.try(t, in, Pass, Exit(xdpExitPASS_REVERSE_PATH))
				}
			}
		})
	}
}

func TestArrivals(t *testing.T) {
	device := func(name string, index, master int) netlink.LinkAttrs {
		return netlink.LinkAttrs{Name: name, Index: index, MasterIndex: master}
	}
	vlan := func(index, parent, id int, proto netlink.VlanProtocol, master int) netlink.Link {
		a := device("vlan", index, master)
		a.ParentIndex = parent
		return &netlink.Vlan{LinkAttrs: a, VlanId: id, VlanProtocol: proto}
	}
	const q, ad = netlink.VLAN_PROTOCOL_8021Q, netlink.VLAN_PROTOCOL_8021AD
	links := []netlink.Link{
		&netlink.Device{LinkAttrs: device("eth0", 2, 0)},
		&netlink.Device{LinkAttrs: device("eth1", 3, 5)},
		&netlink.Device{LinkAttrs: device("eth2", 4, 6)},
		netlink.NewLinkBond(device("bond0", 5, 7)),
		&netlink.Vrf{LinkAttrs: device("red", 6, 0)},
		&netlink.Bridge{LinkAttrs: device("br0", 7, 0)},
		vlan(10, 2, 100, q, 0), vlan(11, 10, 7, q, 0), vlan(12, 2, 100, ad, 7), vlan(13, 5, 200, q, 0), vlan(14, 3, 200, q, 0), vlan(15, 7, 300, q, 0),
	}
	got := arrivals(links, []int{2, 3, 4, 77})
	want := map[xdpArrival]uint32{
		{Index: 2, Outer: tagCustomer}:                               2,
		{Index: 2, Outer: 100 | tagCustomer}:                         10,
		{Index: 2, Outer: 100 | tagCustomer, Inner: 7 | tagCustomer}: 11,
		{Index: 2, Outer: 100 | tagService}:                          7,
		{Index: 3}:                                                   7,
		{Index: 3, Outer: tagCustomer}:                               7,
		{Index: 3, Outer: 200 | tagCustomer}:                         14,
		{Index: 3, Outer: 300 | tagCustomer}:                         15,
		{Index: 4, Outer: tagCustomer}:                               4,
		{Index: 77, Outer: tagCustomer}:                              77,
	}
	if !maps.Equal(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

// What could not be told is told the next time, and what is gone makes room for what is new.
func TestRootFollowInterfacesAgain(t *testing.T) {
	p := load(t, Options{Entries: 16, Reverse: ReverseStrict})
	inNewNamespace(t, func() {
		p.attached = []int{1}
		p.arrivals = map[xdpArrival]uint32{}
		for i := range p.objs.Arrivals.MaxEntries() {
			key := xdpArrival{Index: 1000 + i}
			if err := p.objs.Arrivals.Put(&key, i); err != nil {
				t.Error(err)
				return
			}
			p.arrivals[key] = i
		}
		p.arrivals[xdpArrival{Index: 7}] = 7 // deleted before
		for range 2 {
			if err := p.FollowInterfaces(); err != nil {
				t.Error(err)
			}
		}
		key, index := xdpArrival{Index: 1, Outer: tagCustomer}, uint32(0)
		if err := p.objs.Arrivals.Lookup(&key, &index); err != nil || index != 1 || len(p.arrivals) != 1 || p.arrivals[key] != 1 {
			t.Errorf("%v: %d, %d are remembered", err, index, len(p.arrivals))
		}
	})
}
