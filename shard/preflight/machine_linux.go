package preflight

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"heimdall/ebpf"
	"heimdall/shard/sandbox"
)

// thisMachine is the Machine that the process runs on, with the files below a root of their own.
type thisMachine struct {
	root  string
	files fs.FS
}

// ThisMachine returns the machine that the process runs on, and the network namespace that it is in. root is the
// root of the file system, "/" but for tests.
func ThisMachine(root string) Machine { return &thisMachine{root, os.DirFS(root)} }

func (m *thisMachine) Files() fs.FS { return m.files }

func (m *thisMachine) Write(path, value string) error {
	f, err := os.OpenFile(filepath.Join(m.root, path), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value + "\n")
	return errors.Join(err, f.Close())
}

func (m *thisMachine) SandboxLacks() []string { return sandbox.Lacking() }

func (m *thisMachine) Features() []Feature { return translate(ebpf.Probe()) }

func (m *thisMachine) Programs() []Feature { return translate(ebpf.TryPrograms()) }

func translate(from []ebpf.Feature) (list []Feature) {
	for _, f := range from {
		if f.Err != nil && errors.Is(f.Err, ebpf.ErrNotSupported) {
			f.Err = fmt.Errorf("%w: %w", ErrNotSupported, f.Err)
		}
		list = append(list, Feature(f))
	}
	return list
}

func (m *thisMachine) Program(id uint32) (string, error) { return ebpf.ProgramName(id) }

func (m *thisMachine) Link(name string) (l Link, err error) {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return l, fmt.Errorf("look up %s: %w", name, err)
	}
	if x := link.Attrs().Xdp; x != nil && x.Attached {
		l.XDP = x.ProgId
	}
	l.Features, l.Known = driverFeatures(link.Attrs().Index)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return l, fmt.Errorf("open a socket to ask about %s: %w", name, err)
	}
	defer unix.Close(fd)
	l.Driver = ebpf.DriverOf(name)
	// Drivers need not know of queues and flags.
	if c, err := getChannels(fd, name); err == nil {
		l.Queues, l.MaxQueues = int(c.Combined+c.RX), int(max(c.MaxCombined, c.MaxRX))
		l.Separate = c.MaxCombined == 0
	}
	if flags, err := getFlags(fd, name); err == nil {
		l.StripVLAN = flags&flagRXVLAN != 0
	}
	return l, nil
}

func (m *thisMachine) SetQueues(name string, n int) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	c, err := getChannels(fd, name)
	if err != nil {
		return err
	}
	if c.MaxCombined > 0 {
		c.Combined = uint32(n)
	} else {
		c.RX, c.TX = uint32(n), uint32(n)
	}
	return setChannels(fd, name, c)
}

// The netlink family "netdev" (linux/netdev.h), since Linux 6.3.
const (
	netdevGet         = 1
	netdevIndex       = 1
	netdevXDPFeatures = 3
)

// genlHeader is struct genlmsghdr: command, version, and two octets that have to be zero. The library's own has
// only the first two, and sends what lies behind them.
type genlHeader [4]byte

func (h genlHeader) Len() int          { return len(h) }
func (h genlHeader) Serialize() []byte { return h[:] }

// driverFeatures asks what the driver of an interface can do with XDP; false: the kernel does not tell.
func driverFeatures(index int) (features uint64, known bool) {
	family, err := netlink.GenlFamilyGet("netdev")
	if err != nil {
		return 0, false
	}
	req := nl.NewNetlinkRequest(int(family.ID), unix.NLM_F_ACK)
	req.AddData(genlHeader{netdevGet, 1})
	req.AddData(nl.NewRtAttr(netdevIndex, binary.NativeEndian.AppendUint32(nil, uint32(index))))
	msgs, err := req.Execute(unix.NETLINK_GENERIC, 0)
	if err != nil || len(msgs) == 0 || len(msgs[0]) < nl.SizeofGenlmsg {
		return 0, false
	}
	attrs, err := nl.ParseRouteAttr(msgs[0][nl.SizeofGenlmsg:])
	if err != nil {
		return 0, false
	}
	for _, a := range attrs {
		if a.Attr.Type == netdevXDPFeatures && len(a.Value) >= 8 {
			return binary.NativeEndian.Uint64(a.Value), true
		}
	}
	return 0, false
}
