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

// metricsServer serves /metrics in the Prometheus format. A nil one does nothing.
type metricsServer struct {
	listener net.Listener
	http     *http.Server
	log      *slog.Logger
}

// listenMetrics opens the metrics address; one that is not valid means none.
func listenMetrics(addr netip.AddrPort, log *slog.Logger) (*metricsServer, error) {
	if !addr.IsValid() {
		return nil, nil
	}
	l, err := net.Listen("tcp", addr.String())
	if err != nil {
		return nil, fmt.Errorf("open the metrics address %v: %w", addr, err)
	}
	return &metricsServer{
		listener: newBoundedListener(l, metricsConns),
		log:      log,
		http: &http.Server{
			ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 2 * worker.CommandTime, IdleTimeout: time.Minute,
			MaxHeaderBytes: 16 << 10,
		},
	}, nil
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
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{
		ErrorHandling: promhttp.HTTPErrorOnError, MaxRequestsInFlight: 4, Timeout: worker.CommandTime,
	}))
	m.http.Handler = mux
	go func() {
		if err := m.http.Serve(m.listener); !errors.Is(err, http.ErrServerClosed) {
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
