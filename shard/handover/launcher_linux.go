package handover

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// LauncherArg as the first argument makes the binary a launcher: what follows are the arguments of the processes it starts.
const LauncherArg = "launcher"

const (
	launcherFD    = 3 // of the launcher: its end of the conversation
	predecessorFD = 3 // of a new process: likewise
	// predecessorEnv tells a new process that it has one.
	predecessorEnv = "HEIMDALLD_TAKES_OVER"
)

// Launch is what a launcher does. It returns the exit code.
func Launch(args []string) int {
	// The daemon alone decides when it ends. A handler, other than SIG_IGN, is not inherited by what it starts.
	signal.Notify(make(chan os.Signal, 1), unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGPIPE)
	c, err := newConn(launcherFD)
	if err != nil {
		fmt.Fprintln(os.Stderr, "heimdalld: the launcher is started by the daemon itself:", err)
		return 2
	}
	var mu sync.Mutex
	var running *os.Process
	tell := func(m message) { c.send(m, -1) } // a daemon that is gone needs to know nothing
	for {
		m, fd, err := c.receive(time.Time{})
		if err != nil {
			return 0
		}
		mu.Lock()
		switch {
		case m.Kind == kindStart && fd >= 0 && running == nil:
			p, err := launch(args, fd)
			fd = -1 // which is closed
			if err != nil {
				tell(message{Kind: kindFailed, Error: err.Error()})
				break
			}
			running = p
			tell(message{Kind: kindStarted, PID: p.Pid})
			go func() {
				state, err := p.Wait()
				how := fmt.Sprint(state)
				if err != nil {
					how = err.Error()
				}
				mu.Lock()
				running = nil
				mu.Unlock()
				tell(message{Kind: kindEnded, PID: p.Pid, Error: how})
			}()
		case m.Kind == kindStart:
			tell(message{Kind: kindFailed, Error: "the process started before still runs"})
		case m.Kind == kindKill && running != nil:
			running.Kill()
		}
		mu.Unlock()
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// launch starts the daemon's binary. fd is the new process's end of its conversation with the old one.
func launch(args []string, fd int) (*os.Process, error) {
	path, err := os.Executable() // the place, where another file may be by now
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "predecessor")
	// What the service manager has said about descriptors and the watchdog was for the first process.
	env := slices.DeleteFunc(os.Environ(), func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		return slices.Contains([]string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID"}, name)
	})
	p, err := os.StartProcess(path, append([]string{path}, args...), &os.ProcAttr{
		Env: append(env, predecessorEnv+"=1"), Files: []*os.File{os.Stdin, os.Stdout, os.Stderr, f},
	})
	f.Close()
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Launcher starts new processes of the daemon. A nil Launcher starts none. One process is started at a time.
type Launcher struct {
	conn    *conn
	process *os.Process
	said    chan message // what it says, until it ends
}

// ErrNoLauncher is what Start returns without a launcher.
var ErrNoLauncher = errors.New("the daemon has no launcher, which it starts when it starts itself: its log says why")

// StartLauncher starts a launcher for the binary that runs, and its arguments.
func StartLauncher(args []string) (*Launcher, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("start the launcher: %w", err)
	}
	c, theirs, err := pair()
	if err != nil {
		return nil, fmt.Errorf("start the launcher: %w", err)
	}
	defer theirs.Close()
	p, err := os.StartProcess(path, append([]string{path, LauncherArg}, args...), &os.ProcAttr{
		Env: os.Environ(), Files: []*os.File{os.Stdin, os.Stdout, os.Stderr, theirs}, Sys: &syscall.SysProcAttr{},
	})
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("start the launcher: %w", err)
	}
	l := &Launcher{conn: c, process: p, said: make(chan message, 4)}
	go l.listen()
	return l, nil
}

// listen passes on what the launcher says.
func (l *Launcher) listen() {
	defer close(l.said)
	for {
		m, fd, err := l.conn.receive(time.Time{})
		if err != nil {
			return
		}
		if fd >= 0 {
			unix.Close(fd)
		}
		l.said <- m
	}
}

// startWithin bounds the start of a process, not what it does then.
const startWithin = 10 * time.Second

// Start starts a process.
func (l *Launcher) Start() (*Successor, error) {
	if l == nil {
		return nil, ErrNoLauncher
	}
	c, theirs, err := pair()
	if err != nil {
		return nil, err
	}
	err = l.conn.send(message{Kind: kindStart}, int(theirs.Fd()))
	theirs.Close()
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("%w (the launcher has ended: a restart starts another one)", err)
	}
	timeout := time.After(startWithin)
	for {
		select {
		case m, ok := <-l.said:
			switch {
			case !ok:
				c.Close()
				return nil, errors.New("the launcher has ended: a restart starts another one")
			case m.Kind == kindStarted:
				return &Successor{launcher: l, conn: c, PID: m.PID}, nil
			case m.Kind == kindFailed:
				c.Close()
				return nil, fmt.Errorf("start the binary: %s", m.Error)
			}
		case <-timeout:
			c.Close()
			l.conn.Close() // what it says later is about this process, not another
			return nil, errors.New("the launcher does not answer: a restart starts another one")
		}
	}
}

// Close ends the launcher.
func (l *Launcher) Close() {
	if l != nil {
		l.conn.Close()
		l.process.Wait()
	}
}
