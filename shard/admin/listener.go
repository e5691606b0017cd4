package admin

import (
	"log/slog"
	"net/netip"
	"syscall"
)

// Listener is the control socket, and the address of the metrics if there is one. A nil Listener is neither.
type Listener struct {
	socket  *adminSocket
	metrics *metricsServer
}

// Inherited are the descriptors of listeners that another process hands over, -1 for each that there is not. Listen takes
// them over.
type Inherited struct{ Socket, Metrics int }

// Nothing is inherited by a process that starts afresh.
var Nothing = Inherited{-1, -1}

// Listen opens a Unix socket, and an address for metrics unless that is not valid. Who connects is answered from Serve on.
func Listen(socket string, metrics netip.AddrPort, from Inherited, log *slog.Logger) (l *Listener, err error) {
	l = new(Listener)
	if l.socket, err = listenSocket(socket, from.Socket, log); err != nil {
		return nil, err
	}
	if l.metrics, err = listenMetrics(metrics, from.Metrics, log); err != nil {
		l.socket.close()
		return nil, err
	}
	return l, nil
}

// FDs are the descriptors of the admin socket's listener and of that for metrics, -1 without metrics. They stay the Listener's.
func (l *Listener) FDs() (admin, metrics int) {
	return descriptor(l.socket.listener), l.metrics.fd()
}

// HandOver takes no more connections: another process has the listeners.
func (l *Listener) HandOver() {
	l.socket.listener.SetUnlinkOnClose(false)
	l.socket.listener.Close()
	l.metrics.deafen()
}

// descriptor is that of a listener; -1: it has none.
func descriptor(l syscall.Conn) int {
	at := -1
	if raw, err := l.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { at = int(fd) })
	}
	return at
}

// Serve has s answer, until Close. It returns at once.
func (l *Listener) Serve(s *Server) {
	go l.socket.serve(s)
	l.metrics.serve(s)
}

// Close ends all connections. Who waits for a response still gets it.
func (l *Listener) Close() {
	if l == nil {
		return
	}
	l.metrics.close()
	l.socket.close()
}
