package admin

import (
	"log/slog"
	"net/netip"
)

// Listener is the control socket, and the address of the metrics if there is one. A nil Listener is neither.
type Listener struct {
	socket  *adminSocket
	metrics *metricsServer
}

// Listen opens a Unix socket, and an address for metrics unless that is not valid. Who connects is answered from Serve on.
func Listen(socket string, metrics netip.AddrPort, log *slog.Logger) (l *Listener, err error) {
	l = new(Listener)
	if l.socket, err = listenSocket(socket, log); err != nil {
		return nil, err
	}
	if l.metrics, err = listenMetrics(metrics, log); err != nil {
		l.socket.close()
		return nil, err
	}
	return l, nil
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
