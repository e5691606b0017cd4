package admin

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"heimdall/shard/worker"
)

// httpServer answers browsers or collectors at one address. A nil one does nothing.
type httpServer struct {
	listener net.Listener
	socket   *net.TCPListener // of listener
	http     *http.Server
	what     string // is served
	log      *slog.Logger
}

// newHTTPServer makes a server that has so many connections open at most.
func newHTTPServer(l *net.TCPListener, conns int, what string, log *slog.Logger) *httpServer {
	return &httpServer{
		socket:   l,
		listener: newBoundedListener(l, conns),
		what:     what,
		log:      log,
		http: &http.Server{
			ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 2 * worker.CommandTime, IdleTimeout: time.Minute,
			MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
	}
}

// fd is the descriptor of the listener; -1: there is none.
func (m *httpServer) fd() int {
	if m == nil {
		return -1
	}
	return descriptor(m.socket)
}

// deafen takes no more connections.
func (m *httpServer) deafen() {
	if m != nil {
		m.listener.Close()
	}
}

// serve has h answer, until close. It returns at once.
func (m *httpServer) serve(h http.Handler) {
	m.http.Handler = h
	go func() {
		if err := m.http.Serve(m.listener); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			m.log.Warn(m.what+": no longer served", "error", err)
		}
	}()
}

func (m *httpServer) close() {
	if m != nil {
		m.http.Close()
		m.listener.Close() // in case serve was never called
	}
}
