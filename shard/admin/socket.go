package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"heimdall/core/control"
	"heimdall/shard/worker"
)

const (
	// maxAdmins bounds the connections to the admin socket; further ones are closed at once.
	maxAdmins = 32
	// adminIdle is how long an admin connection may be silent.
	adminIdle = 5 * time.Minute
)

// adminSocket is the Unix socket that heimdallctl talks to.
type adminSocket struct {
	listener *net.UnixListener
	log      *slog.Logger
	users    users // of this machine
	door     door
	before   string // a path that the process before listened at, and this one does not; empty: none
	conns    sync.WaitGroup
	slots    chan struct{}
	ctx      context.Context
	cancel   context.CancelFunc
}

// listenSocket opens the socket with mode 0660, or takes over a listener, if inherited is not below 0, that another process
// has opened there. A socket file that a killed process has left behind is replaced; one that somebody listens on is not.
func listenSocket(path string, inherited int, log *slog.Logger) (*adminSocket, error) {
	l, before, err := adoptSocket(path, inherited)
	if l == nil && err == nil {
		l, err = openSocket(path)
	}
	if err != nil {
		return nil, err
	}
	a := &adminSocket{listener: l, before: before, log: log, users: readUsers("/etc/passwd"), slots: make(chan struct{}, maxAdmins)}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	return a, nil
}

// adoptSocket makes a listener of a descriptor; nil: there is none for this path. at is another path that it has. As long as the
// process before may go on serving, its socket stays where it is, whatever happens here.
func adoptSocket(path string, fd int) (l *net.UnixListener, at string, err error) {
	if fd < 0 {
		return nil, "", nil
	}
	any, err := listenerOf(fd)
	if err != nil {
		return nil, "", fmt.Errorf("take over the admin socket: %w", err)
	}
	if u, ok := any.(*net.UnixListener); ok {
		if at = u.Addr().String(); at == path {
			return u, "", nil
		}
	}
	return nil, at, any.Close()
}

// listenerOf makes a listener of a descriptor, which it takes over.
func listenerOf(fd int) (net.Listener, error) {
	f := os.NewFile(uintptr(fd), "listener")
	if f == nil {
		return nil, syscall.EBADF
	}
	defer f.Close()
	return net.FileListener(f)
}

// openSocket opens the socket.
func openSocket(path string) (*net.UnixListener, error) {
	if err := removeStale(path); err != nil {
		return nil, err
	}
	// The umask is the process's: without it the socket would be open to all for a moment.
	old := syscall.Umask(0o117)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	syscall.Umask(old)
	if err != nil {
		return nil, fmt.Errorf("open the admin socket %s: %w", path, err)
	}
	return l, nil
}

func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at the admin socket %s: %w", path, err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("open the admin socket %s: a file of that name exists and is no socket; remove it or change admin.socket", path)
	}
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		c.Close()
		return fmt.Errorf("open the admin socket %s: another process listens on it; stop it or change admin.socket", path)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove the admin socket of an earlier process: %w", err)
	}
	return nil
}

// serve accepts connections until close, and has s answer them.
// own makes the socket this process's, which removes it at the end.
func (a *adminSocket) own() {
	a.listener.SetUnlinkOnClose(true)
	if a.before != "" {
		os.Remove(a.before)
	}
}

func (a *adminSocket) serve(s control.Server) {
	for {
		c, err := a.listener.AcceptUnix()
		if err != nil {
			if a.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			a.log.Warn("the admin socket takes no connection", "error", err)
			time.Sleep(100 * time.Millisecond)
			continue
		}
		select {
		case a.slots <- struct{}{}:
			a.conns.Go(func() {
				defer func() { <-a.slots }()
				a.handle(c, s)
			})
		default:
			c.Close()
		}
	}
}

func (a *adminSocket) handle(c *net.UnixConn, s control.Server) {
	stop := context.AfterFunc(a.ctx, func() { c.CloseRead() }) // a response under way may still leave
	defer stop()
	defer c.Close()
	err := control.Serve(a.ctx, deadlines{c}, newDeeds(s, a.log, peerOf(c, a.users), &a.door))
	if err != nil && a.ctx.Err() == nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		a.log.Debug("an admin connection ended", "error", err)
	}
}

// close ends all connections and removes the socket file.
func (a *adminSocket) close() {
	a.cancel()
	a.listener.Close()
	a.conns.Wait()
}

// deadlines bounds how long either direction may stall.
type deadlines struct{ *net.UnixConn }

func (d deadlines) Read(p []byte) (int, error) {
	d.SetReadDeadline(time.Now().Add(adminIdle))
	return d.UnixConn.Read(p)
}

func (d deadlines) Write(p []byte) (int, error) {
	d.SetWriteDeadline(time.Now().Add(worker.CommandTime))
	return d.UnixConn.Write(p)
}
