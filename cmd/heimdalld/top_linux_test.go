package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openTerminal makes a pseudo-terminal of a size and returns its two ends.
func openTerminal(t *testing.T, columns, rows uint16) (keyboard, screen *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	resizeTerminal(t, keyboard, columns, rows)
	if screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	return keyboard, screen
}

func resizeTerminal(t *testing.T, keyboard *os.File, columns, rows uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(keyboard.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns}); err != nil {
		t.Fatal(err)
	}
}

// heimdallctl top on a terminal of 60 columns: nothing wraps, h tells the keys, a wider terminal shows more, q quits.
func TestTopOnATerminal(t *testing.T) {
	t.Parallel()
	d := start(t, "[recursion]\nenabled = false\nroot_hints = \"\"\n[cpu]\nshards = 2\npin = false\n")
	keyboard, screen := openTerminal(t, 60, 20)
	cmd := exec.Command(shipped(t, "heimdallctl"), "-socket", d.socket, "top", "-interval", "100ms")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = screen, screen, screen
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	t.Cleanup(func() { cmd.Process.Kill() })
	var out syncBuffer
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := keyboard.Read(buf)
			if err != nil {
				return
			}
			out.Write(buf[:n])
		}
	}()
	// last is the last whole picture.
	last := func() string {
		pictures := strings.Split(out.String(), "\x1b[H\x1b[J")
		if len(pictures) < 3 {
			return ""
		}
		return pictures[len(pictures)-2]
	}
	shows := func(what string, columns int, words ...string) {
		t.Helper()
		until(t, what, func() bool {
			picture := last()
			for _, w := range words {
				if !strings.Contains(picture, w) {
					return false
				}
			}
			return picture != ""
		})
		for line := range strings.SplitSeq(last(), "\n") {
			if len(strings.TrimRight(line, "\r")) > columns {
				t.Errorf("%s: %q", what, line)
			}
		}
	}
	shows("60 columns", 60, "SHARD", "QUERIES/S", "P99", "all", "q quit, h help")
	if strings.Contains(last(), "BATCH") {
		t.Errorf("all columns on 60:\n%s", last())
	}
	keyboard.WriteString("?")
	shows("the help", 60, "q       quit", "h or ?")
	keyboard.WriteString("h")
	shows("after the help", 60, "heimdalld ", "SHARD")
	resizeTerminal(t, keyboard, 180, 20)
	shows("180 columns", 180, "BATCH", "P99.9", "CACHE")
	keyboard.WriteString("q")
	select {
	case err := <-exited:
		if err != nil {
			t.Errorf("after q: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("q does not quit")
	}
	until(t, "the cursor", func() bool { return strings.HasSuffix(out.String(), "\x1b[?25h") })
}
