package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// openTerminal makes the keys pressed at in arrive one by one, if out and in are
// a terminal, until restore is called. Without a terminal at out the channel is
// nil; without one at in nothing ever arrives.
func openTerminal(in, out *os.File) (keys <-chan byte, restore func()) {
	if _, err := unix.IoctlGetTermios(int(out.Fd()), unix.TCGETS); err != nil {
		return nil, func() {}
	}
	pressed := make(chan byte)
	fd := int(in.Fd())
	old, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return pressed, func() {}
	}
	raw := *old
	raw.Lflag &^= unix.ICANON | unix.ECHO
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 0, 1 // a read returns after 0.1 s at most
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &raw); err != nil {
		return pressed, func() {}
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		var key [1]byte
		for {
			n, err := unix.Read(fd, key[:])
			if n == 1 {
				select {
				case pressed <- key[0]:
				case <-stop:
				}
			} else if err != nil && err != unix.EINTR { // the terminal is gone
				return
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	return pressed, func() {
		close(stop)
		<-stopped
		_ = unix.IoctlSetTermios(fd, unix.TCSETS, old)
	}
}

// terminalSize returns the columns and rows of a terminal, 0 if it has none or does not tell.
func terminalSize(out *os.File) (columns, rows int) {
	w, err := unix.IoctlGetWinsize(int(out.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0
	}
	return int(w.Col), int(w.Row)
}
