package admin

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"heimdall/shard/worker"
)

// listenMetrics opens the metrics address, or takes over a listener, if inherited is not below 0, that another process has
// opened there; one that is not valid means none.
func listenMetrics(addr netip.AddrPort, inherited int, log *slog.Logger) (*httpServer, error) {
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
	return newHTTPServer(l, metricsConns, "metrics", log), nil
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

// metricsConns bounds the connections for metrics: many collectors, with some each.
const metricsConns = 128

// metricsHandler answers collectors, and who asks for health, out of what s tells.
func metricsHandler(s *Server) http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(&collector{s: s}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.serveHealth)
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{
		ErrorHandling: promhttp.HTTPErrorOnError, MaxRequestsInFlight: 4, Timeout: worker.CommandTime,
	}))
	return mux
}
