package admin

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"heimdall/shard/worker"
)

// metricsServer serves /metrics in the Prometheus format, and /healthz. A nil one does nothing.
type metricsServer struct {
	listener net.Listener
	socket   *net.TCPListener // of listener
	http     *http.Server
	log      *slog.Logger
}

// listenMetrics opens the metrics address, or takes over a listener, if inherited is not below 0, that another process has
// opened there; one that is not valid means none.
func listenMetrics(addr netip.AddrPort, inherited int, log *slog.Logger) (*metricsServer, error) {
	l, err := adoptMetrics(addr, inherited)
	if err == nil && l == nil && addr.IsValid() {
		l, err = net.ListenTCP("tcp", net.TCPAddrFromAddrPort(addr))
	}
	if err != nil {
		return nil, fmt.Errorf("open the metrics address %v: %w", addr, err)
	}
	if l == nil {
		return nil, nil
	}
	return &metricsServer{
		socket:   l,
		listener: newBoundedListener(l, metricsConns),
		log:      log,
		http: &http.Server{
			ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 2 * worker.CommandTime, IdleTimeout: time.Minute,
			MaxHeaderBytes: 16 << 10,
		},
	}, nil
}

// adoptMetrics makes a listener of a descriptor; nil: there is none for this address.
func adoptMetrics(addr netip.AddrPort, fd int) (*net.TCPListener, error) {
	if fd < 0 {
		return nil, nil
	}
	l, err := listenerOf(fd)
	if err != nil {
		return nil, err
	}
	if t, ok := l.(*net.TCPListener); ok && t.Addr().String() == addr.String() {
		return t, nil
	}
	return nil, l.Close()
}

// fd is the descriptor of the listener; -1: there is none.
func (m *metricsServer) fd() int {
	if m == nil {
		return -1
	}
	return descriptor(m.socket)
}

// deafen takes no more connections.
func (m *metricsServer) deafen() {
	if m != nil {
		m.listener.Close()
	}
}

// metricsConns bounds the connections for metrics: many collectors, with some each.
const metricsConns = 128

// serve answers collectors, out of what s tells, until close.
func (m *metricsServer) serve(s *Server) {
	if m == nil {
		return
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(&collector{s: s}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.serveHealth)
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{
		ErrorHandling: promhttp.HTTPErrorOnError, MaxRequestsInFlight: 4, Timeout: worker.CommandTime,
	}))
	m.http.Handler = mux
	go func() {
		if err := m.http.Serve(m.listener); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			m.log.Warn("metrics are no longer served", "error", err)
		}
	}()
}

func (m *metricsServer) close() {
	if m != nil {
		m.http.Close()
		m.listener.Close() // in case serve was never called
	}
}
