//go:build !linux

package main

import "os"

// openTerminal reports that there is no terminal to be used as a screen.
func openTerminal(_, _ *os.File) (keys <-chan byte, restore func()) { return nil, func() {} }

// terminalSize does not know it.
func terminalSize(*os.File) (columns, rows int) { return 0, 0 }
