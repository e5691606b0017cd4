//go:build !linux

package framing

import "syscall"

// Recv returns ENOSYS.
func Recv(fd int, b []byte) (int, syscall.Errno) { return 0, syscall.ENOSYS }

// Peek returns ENOSYS.
func Peek(fd int, b []byte) (int, syscall.Errno) { return 0, syscall.ENOSYS }

// Send returns ENOSYS.
func Send(fd int, b []byte) (int, syscall.Errno) { return 0, syscall.ENOSYS }
