// Command heimdallctl looks into a running heimdalld and changes it, through the
// daemon's administration socket. See heimdallctl -help.
package main

import (
	"context"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"heimdall/shard/preflight"
)

// The exit codes, which scripts rely on.
const (
	exitOK          = 0
	exitFailed      = 1 // the daemon refused or failed, or what was looked up is not there, or a zone was not loaded; of diff: there are differences
	exitUsage       = 2 // the command line makes no sense; of diff: there is nothing to compare with
	exitUnreachable = 3 // no daemon answers at the socket
)

// version is set by the linker.
var version string

// environment is everything outside the program, so that tests can put
// something else in its place.
type environment struct {
	args   []string // without the program's name
	out    io.Writer
	errOut io.Writer

	// socket is where the daemon is looked for without -socket.
	socket string
	dial   func(ctx context.Context, path string) (net.Conn, error)
	// after is time.After; it paces top.
	after func(time.Duration) <-chan time.Time
	// terminal makes out a screen and its keyboard readable key by key, until
	// restore is called. It returns a nil channel when out is not a terminal.
	terminal func() (keys <-chan byte, restore func())
	// size is how many columns and rows the screen has now; 0 where that is not known.
	size func() (columns, rows int)
	// machine is what doctor and tune look at.
	machine preflight.Machine
}

// defaultSocket is the path in the default configuration. The linker sets that of an installation.
var defaultSocket = "heimdall.sock"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	socket := os.Getenv("HEIMDALL_SOCKET")
	if socket == "" {
		socket = defaultSocket
	}
	code := run(ctx, &environment{
		args:   os.Args[1:],
		out:    os.Stdout,
		errOut: os.Stderr,
		socket: socket,
		dial: func(ctx context.Context, path string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		},
		after:    time.After,
		terminal: func() (<-chan byte, func()) { return openTerminal(os.Stdin, os.Stdout) },
		size:     func() (int, int) { return terminalSize(os.Stdout) },
		machine:  preflight.ThisMachine("/"),
	})
	stop()
	os.Exit(code)
}

// run carries out one command line and returns the exit code.
func run(ctx context.Context, env *environment) int {
	t := &tool{env: env}
	root := t.command()
	root.SetArgs(doubleDashes(root, env.args))
	root.SetOut(env.out)
	root.SetErr(env.errOut)
	if err := root.ExecuteContext(ctx); err != nil {
		return t.fail(err)
	}
	return exitOK
}
