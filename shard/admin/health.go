package admin

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"heimdall/core/control"
)

var (
	healthyDesc = desc("healthy", "1 if this server should get queries, 0 if not.")
	checkDesc   = desc("health_check", "1 for each part of the verdict of health that finds nothing wrong, 0 for the others.", "check")
	serviceAddr = desc("anycast_address", "1 for each service address that this daemon has put on its interface, 0 for the others.", "address", "interface")
	shiftsDesc  = desc("anycast_changes_total", "How often the service addresses have come or gone.")
)

// serveHealth answers GET /healthz: 200 if this server should get queries, 503 if not, and why.
func (s *Server) serveHealth(w http.ResponseWriter, r *http.Request) {
	h, err := s.o.Health(r.Context())
	if err != nil {
		return // who has asked has gone
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !h.Healthy {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	json.NewEncoder(w).Encode(h)
}

// collectHealth sends the verdict of health and where the service addresses are.
func (s *Server) collectHealth(ch chan<- prometheus.Metric) {
	h, err := s.o.Glance(context.Background())
	if err != nil {
		return
	}
	flag := func(d *prometheus.Desc, on bool, labels ...string) {
		v := 0.0
		if on {
			v = 1
		}
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	flag(healthyDesc, h.Healthy)
	for _, c := range h.Checks {
		flag(checkDesc, c.OK, c.Check)
	}
	a := s.o.Anycast()
	if a == nil {
		return
	}
	for _, addr := range a.Addresses {
		flag(serviceAddr, addr.State == control.AnycastUp, addr.Address, a.Interface)
	}
	ch <- prometheus.MustNewConstMetric(shiftsDesc, prometheus.CounterValue, float64(a.Changes))
}
