//go:build !linux

package outbound

import (
	"net/netip"
	"syscall"
)

type batch struct{}

func (b *batch) init() {}

func (b *batch) receive(fd int) (int, syscall.Errno) { return 0, syscall.ENOSYS }

func (b *batch) at(i int) (msg []byte, from *rawAddr, whole bool) { return nil, nil, false }

func sendTo(fd int, msg []byte, to *rawAddr) syscall.Errno { return syscall.ENOSYS }

func send(fd int, msg []byte) syscall.Errno { return syscall.ENOSYS }

func connect(fd int, to *rawAddr) syscall.Errno { return syscall.ENOSYS }

func openDatagram(ipv6 bool, addr netip.Addr, port uint16, rcvBuf int) (int, syscall.Errno) {
	return -1, syscall.ENOSYS
}

func openOwn(local *rawAddr) (int, syscall.Errno) { return -1, syscall.ENOSYS }

func openUnbound(ipv6 bool) (int, syscall.Errno) { return -1, syscall.ENOSYS }

func localPortRange() (low, high uint16, ok bool) { return 0, 0, false }

func disconnect(fd int) syscall.Errno { return syscall.ENOSYS }

func localAddr(fd int, at *rawAddr) {}

func bind(fd int, at *rawAddr) syscall.Errno { return syscall.ENOSYS }

func openStream(ipv6 bool, addr netip.Addr) (int, syscall.Errno) { return -1, syscall.ENOSYS }

func closeSocket(fd int) {}
