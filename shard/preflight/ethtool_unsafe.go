//go:build linux

package preflight

// Why this is safe: each request is a struct with the kernel's own layout and size, which the ioctl fills and does
// not keep; the pointers in ifreq are to variables that live through the call, which runtime.KeepAlive sees to.

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Commands of SIOCETHTOOL (linux/ethtool.h).
const (
	ethtoolGetFlags    = 0x25
	ethtoolGetChannels = 0x3c
	ethtoolSetChannels = 0x3d
)

// flagRXVLAN is ETH_FLAG_RXVLAN: the card takes VLAN tags off.
const flagRXVLAN = 1 << 8

// channels is struct ethtool_channels: numbers of queues.
type channels struct {
	cmd                                 uint32
	MaxRX, MaxTX, maxOther, MaxCombined uint32
	RX, TX, other, Combined             uint32
}

// value is struct ethtool_value.
type value struct{ cmd, data uint32 }

// ifreq is struct ifreq with ifr_data.
type ifreq struct {
	name [unix.IFNAMSIZ]byte
	data unsafe.Pointer
	_    [24 - unsafe.Sizeof(uintptr(0))]byte
}

var (
	_ [0]byte = [unsafe.Sizeof(channels{}) - 36]byte{}
	_ [0]byte = [unsafe.Sizeof(value{}) - 8]byte{}
	_ [0]byte = [unsafe.Sizeof(ifreq{}) - 40]byte{}
)

func ethtool(fd int, name string, data unsafe.Pointer) error {
	req := ifreq{data: data}
	copy(req.name[:len(req.name)-1], name)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&req)))
	runtime.KeepAlive(data)
	if errno != 0 {
		return errno
	}
	return nil
}

func getChannels(fd int, name string) (channels, error) {
	c := channels{cmd: ethtoolGetChannels}
	err := ethtool(fd, name, unsafe.Pointer(&c))
	return c, err
}

func setChannels(fd int, name string, c channels) error {
	c.cmd = ethtoolSetChannels
	return ethtool(fd, name, unsafe.Pointer(&c))
}

func getFlags(fd int, name string) (uint32, error) {
	v := value{cmd: ethtoolGetFlags}
	err := ethtool(fd, name, unsafe.Pointer(&v))
	return v.data, err
}
