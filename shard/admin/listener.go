package admin

import (
	"log/slog"
	"net/netip"
	"syscall"

	"heimdall/shard/page"
)

// Listener is the control socket, and the addresses of the metrics and the page if there are any. A nil Listener is none.
type Listener struct {
	socket  *adminSocket
	metrics *httpServer
	web     *httpServer
	page    *page.Page // what web shows; nil before Serve
}

// Addresses are where it listens. What is not valid is not served.
type Addresses struct {
	Socket       string // path
	Metrics, Web netip.AddrPort
}

// Inherited are the descriptors of listeners that another process hands over, -1 for each that there is not. Listen takes
// them over.
type Inherited struct{ Socket, Metrics int }

// Nothing is inherited by a process that starts afresh.
var Nothing = Inherited{-1, -1}

// Listen opens a Unix socket and the addresses. Who connects is answered from Serve on.
func Listen(at Addresses, from Inherited, log *slog.Logger) (l *Listener, err error) {
	l = new(Listener)
	if l.socket, err = listenSocket(at.Socket, from.Socket, log); err != nil {
		return nil, err
	}
	if l.metrics, err = listenMetrics(at.Metrics, from.Metrics, log); err == nil {
		l.web, err = listenPage(at.Web, log)
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// FDs are the descriptors of the admin socket's listener and of that for metrics, -1 without metrics. They stay the Listener's.
func (l *Listener) FDs() (admin, metrics int) {
	return descriptor(l.socket.listener), l.metrics.fd()
}

// Shut refuses commands from now on, with why, that change what another process takes over. Those under way have ended when it
// returns.
func (l *Listener) Shut(why string) {
	if l != nil {
		l.socket.door.close(why)
	}
}

// HandOver takes no more connections: another process has the listeners.
func (l *Listener) HandOver() {
	l.socket.listener.SetUnlinkOnClose(false)
	l.socket.listener.Close()
	l.metrics.deafen()
	l.web.deafen()
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
	l.socket.own()
	go l.socket.serve(s)
	if l.metrics != nil {
		l.metrics.serve(metricsHandler(s))
	}
	if l.web != nil {
		l.page = newPage(s)
		l.web.serve(l.page)
	}
}

// Close ends all connections. Who waits for a response still gets it.
func (l *Listener) Close() {
	if l == nil {
		return
	}
	if l.page != nil {
		l.page.Close()
	}
	l.web.close()
	l.metrics.close()
	l.socket.close()
}
