//go:build linux

package tcp

// Why this is safe: the kernel writes at most size bytes, the length of raw, to
// raw's first element and the true length to size; both live on the stack of the
// caller of the system call, and the conversions to uintptr stand in its
// argument list.

import (
	"encoding/binary"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"heimdall/netio"
)

// rawAddr is room for a sockaddr_in6, of which a sockaddr_in needs the first 16
// bytes. Both begin: offset 0, family, 2 bytes, native order; 2, port, 2 bytes,
// big endian. Then sockaddr_in: 4, address, 4 bytes; sockaddr_in6: 4, flow label,
// 4 bytes; 8, address, 16 bytes; 24, scope, 4 bytes, native order.
type rawAddr [unix.SizeofSockaddrInet6]byte

// accept takes one waiting connection from a non-blocking listener and sets the
// peer's address. EAGAIN means none waits. The call is raw: it cannot block.
func accept(listener int, peer *netio.Endpoint) (int, syscall.Errno) {
	var raw rawAddr
	size := uint32(len(raw))
	fd, _, e := syscall.RawSyscall6(unix.SYS_ACCEPT4, uintptr(listener), uintptr(unsafe.Pointer(&raw[0])),
		uintptr(unsafe.Pointer(&size)), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	if e != 0 {
		return -1, e
	}
	peer.Port = binary.BigEndian.Uint16(raw[2:])
	peer.Addr = raw.ip()
	if raw.is6() {
		peer.Scope = binary.NativeEndian.Uint32(raw[24:])
	}
	return int(fd), 0
}

// localAddr sets the local address of a connection, which stays zero on failure.
func localAddr(fd int, e *netio.Endpoint) {
	var raw rawAddr
	size := uint32(len(raw))
	_, _, errno := syscall.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&raw[0])),
		uintptr(unsafe.Pointer(&size)))
	if errno == 0 {
		e.Local = raw.ip()
	}
}

func (r *rawAddr) is6() bool { return binary.NativeEndian.Uint16(r[:]) == unix.AF_INET6 }

// ip returns the address, IPv4 as ::ffff:a.b.c.d.
func (r *rawAddr) ip() [16]byte {
	if r.is6() {
		return [16]byte(r[8:24])
	}
	return netip.AddrFrom4([4]byte(r[4:8])).As16()
}
