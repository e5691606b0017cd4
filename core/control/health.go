package control

// Health is the verdict whether the daemon should get queries.
type Health struct {
	Healthy bool          `json:"healthy"`
	Reasons []string      `json:"reasons"` // why not, one sentence each; empty: it is healthy
	Checks  []HealthCheck `json:"checks"`
}

// HealthCheck is one part of the verdict.
type HealthCheck struct {
	Check string `json:"check"` // "loops", "zones", "zone answers", "local answers", "recursion", "service"
	OK    bool   `json:"ok"`
	Found string `json:"found"` // what was found, one sentence
}

// AnycastState says where a service address is.
type AnycastState string

// The states of a service address.
const (
	AnycastUp      AnycastState = "up"      // this daemon has put it on the interface
	AnycastDown    AnycastState = "down"    // it is not there
	AnycastForeign AnycastState = "foreign" // somebody else has put it there, and it stays
	AnycastFailed  AnycastState = "failed"  // it should be there and cannot be
)

// Anycast is the service addresses, which come and go with the verdict of health.
type Anycast struct {
	Interface string           `json:"interface"`
	Announced bool             `json:"announced"` // they should be there
	Because   string           `json:"because"`   // why, or why not
	Changes   uint64           `json:"changes"`   // of Announced since the start
	Addresses []AnycastAddress `json:"addresses"`
}

// AnycastAddress is one of them.
type AnycastAddress struct {
	Address string       `json:"address"`
	State   AnycastState `json:"state"`
	Error   string       `json:"error,omitempty"` // why it failed
}
