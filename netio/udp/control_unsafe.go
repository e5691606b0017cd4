//go:build linux

package udp

// Why this is safe: a control buffer is an array of words, so that every cmsghdr
// in it is aligned; each header and each payload is read only after its end has
// been checked against the number of bytes the kernel says it wrote.

import (
	"encoding/binary"
	"unsafe"

	"heimdall/netio"

	"golang.org/x/sys/unix"
)

// controlSize is room for one packet info and one time stamp, in bytes: 16 of
// header and 20 of in6_pktinfo, 16 of header and 16 of timespec, each rounded to words.
const controlSize = 80

// control is the control buffer of one datagram.
type control [controlSize / 8]uint64

// headerSize is a cmsghdr, which needs no padding after it on any Linux.
const headerSize = int(unsafe.Sizeof(unix.Cmsghdr{}))

func (c *control) bytes() *[controlSize]byte { return (*[controlSize]byte)(unsafe.Pointer(c)) }

// read takes the local address and the time of arrival (wall clock,
// nanoseconds; 0: none) from the first n bytes.
func (c *control) read(n int, e *netio.Endpoint) (arrived int64) {
	b := c.bytes()
	n = min(n, len(b))
	for at := 0; at+headerSize <= n; {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&b[at]))
		end := at + int(h.Len)
		if int(h.Len) < headerSize || end > n {
			break
		}
		data := b[at+headerSize : end]
		switch {
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			// struct in_pktinfo: ifindex, local address, header's destination.
			binary.LittleEndian.PutUint32(e.Local[8:12], mappedPrefix)
			*(*[4]byte)(e.Local[12:16]) = *(*[4]byte)(data[4:8])
		case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			// struct in6_pktinfo: destination, ifindex.
			if data[0] == 0xff {
				break // multicast is nobody's source: let the kernel choose one
			}
			e.Local = *(*[16]byte)(data[0:16])
			if linkLocal(&e.Local) {
				e.Scope = binary.NativeEndian.Uint32(data[16:20])
			}
		case h.Level == unix.SOL_SOCKET && h.Type == unix.SO_TIMESTAMPNS && len(data) >= int(unsafe.Sizeof(unix.Timespec{})):
			ts := (*unix.Timespec)(unsafe.Pointer(&data[0]))
			arrived = ts.Nano()
		}
		at += (int(h.Len) + headerAlign - 1) &^ (headerAlign - 1)
	}
	return arrived
}

// headerAlign is the alignment of a cmsghdr.
const headerAlign = int(unsafe.Sizeof(uintptr(0)))

// prepareSource writes the constant part of the control message that sets a
// datagram's source address into every buffer of the batch.
func (b *batch) prepareSource(is6 bool) {
	b.setControl(sourceSize(is6))
	for i := range b.control {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&b.control[i]))
		h.Level, h.Type = unix.IPPROTO_IP, unix.IP_PKTINFO
		h.SetLen(headerSize + unix.SizeofInet4Pktinfo)
		if is6 {
			h.Level, h.Type = unix.IPPROTO_IPV6, unix.IPV6_PKTINFO
			h.SetLen(headerSize + unix.SizeofInet6Pktinfo)
		}
	}
}

// sourceSize is the length of that control message in bytes, padding included.
func sourceSize(is6 bool) int {
	if is6 {
		return headerSize + (unix.SizeofInet6Pktinfo+headerAlign-1)&^(headerAlign-1)
	}
	return headerSize + (unix.SizeofInet4Pktinfo+headerAlign-1)&^(headerAlign-1)
}

// setSource makes datagram i leave from e.Local, or from the address the kernel
// chooses when that is zero.
func (b *batch) setSource(i int, e *netio.Endpoint, is6 bool) {
	h := &b.headers[i].msg
	if e.Local == ([16]byte{}) {
		h.SetControllen(0)
		return
	}
	h.SetControllen(sourceSize(is6))
	data := b.control[i].bytes()[headerSize:]
	if !is6 {
		*(*[4]byte)(data[4:8]) = *(*[4]byte)(e.Local[12:16])
		return
	}
	*(*[16]byte)(data[0:16]) = e.Local
	index := uint32(0)
	if linkLocal(&e.Local) {
		index = e.Scope
	}
	binary.NativeEndian.PutUint32(data[16:20], index)
}

// linkLocal reports whether an address is in fe80::/10.
func linkLocal(a *[16]byte) bool { return a[0] == 0xfe && a[1]&0xc0 == 0x80 }
