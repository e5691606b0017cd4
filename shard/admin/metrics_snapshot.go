package admin

import "github.com/prometheus/client_golang/prometheus"

var (
	savedAtDesc      = desc("cache_file_timestamp_seconds", "When the file that keeps the caches was last written, in seconds since 1970. 0: not yet.")
	savedBytesDesc   = desc("cache_file_bytes", "Size of the file that keeps the caches, as it was last written.")
	savedEntriesDesc = desc("cache_file_entries", "Entries in the file that keeps the caches, as it was last written.")
	saveTimeDesc     = desc("cache_file_write_seconds", "How long it took to write the file that keeps the caches.")
	savesDesc        = desc("cache_file_writes_total", "Tries to write the file that keeps the caches, by what came of them.", "result")
	loadedDesc       = desc("cache_file_loaded_entries", "Entries that were taken over from the file at the start.")
)

// collectSnapshot tells of the file that keeps the caches, if there is one.
func (s *Server) collectSnapshot(ch chan<- prometheus.Metric) {
	p := s.o.Caches.Status()
	if p == nil {
		return
	}
	gauge := func(d *prometheus.Desc, v float64) { ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	gauge(savedAtDesc, float64(p.SavedAt))
	gauge(savedBytesDesc, float64(p.SavedBytes))
	gauge(savedEntriesDesc, float64(p.SavedEntries))
	gauge(saveTimeDesc, p.SaveSeconds)
	gauge(loadedDesc, float64(p.LoadedEntries))
	ch <- prometheus.MustNewConstMetric(savesDesc, prometheus.CounterValue, float64(p.Saves), "written")
	ch <- prometheus.MustNewConstMetric(savesDesc, prometheus.CounterValue, float64(p.Failures), "failed")
}
