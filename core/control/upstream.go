package control

// Upstreams is the reply to the command upstreams.
type Upstreams struct {
	Groups []UpstreamGroup `json:"groups"`
}

// UpstreamGroup is the servers of one [[forward]] or [[stub]] table.
type UpstreamGroup struct {
	Zone    string     `json:"zone"`
	Kind    string     `json:"kind"` // "forward" or "stub"
	Servers []Upstream `json:"servers"`
}

// UpstreamState says whether a server is asked.
type UpstreamState string

// The states of an upstream server.
const (
	UpstreamUnknown UpstreamState = "unknown" // not asked yet
	UpstreamUp      UpstreamState = "up"
	UpstreamDown    UpstreamState = "down" // asked only to find out whether it came back
)

// Upstream is one server as all shards together see it.
type Upstream struct {
	Address     string        `json:"address"`
	State       UpstreamState `json:"state"`
	ShardsDown  int           `json:"shards_down"` // shards that hold it to be down
	SRTTUs      float64       `json:"srtt_us"`     // smoothed round-trip time; the best shard's; 0: unknown
	InFlight    int           `json:"in_flight"`
	Queries     uint64        `json:"queries"`
	Responses   uint64        `json:"responses"` // usable ones
	Timeouts    uint64        `json:"timeouts"`
	Failures    uint64        `json:"failures"`       // SERVFAIL, REFUSED and the like
	Mismatches  uint64        `json:"mismatches"`     // messages that answered no query: wrong ID, question, source, cookie or letter case, or too late
	Truncated   uint64        `json:"truncated"`      // asked again over TCP
	NoEDNS      bool          `json:"no_edns"`        // it was found not to understand EDNS
	DNSSEC      string        `json:"dnssec"`         // of a forwarder: does it pass DNSSEC records on: "yes", "no" or "unknown"
	Bare        string        `json:"bare,omitempty"` // what of them was missed last, and in which zone
	NextProbeMs int64         `json:"next_probe_ms,omitempty"`
	LastError   string        `json:"last_error,omitempty"`
}

// Reload is the reply to the command reload when the new file is in force. When it
// is not valid, the reply is an Error of CodeInvalidConfig, and when it could not be
// put into force, one of CodeUnavailable: then nothing was changed.
type Reload struct {
	Config       string   `json:"config"`          // path of the file that was read
	Applied      []string `json:"applied"`         // keys whose new values are in force
	NeedsRestart []string `json:"needs_restart"`   // keys whose new values wait for a restart
	Zones        []string `json:"zones,omitempty"` // of which a new version was loaded
	Warnings     []string `json:"warnings,omitempty"`
}
