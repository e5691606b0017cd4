package control

// MaxUpgrade is the most seconds that a new process may be given to start.
const MaxUpgrade = 3600

// UpgradeArgs are the arguments of CommandUpgrade.
type UpgradeArgs struct {
	// Within is how many seconds the new process may take until it serves; 0: two minutes.
	Within int `json:"within,omitempty"`
}

// Upgrade tells which process serves now.
type Upgrade struct {
	PID         int     `json:"pid"`     // of the new process
	Version     string  `json:"version"` // of its binary
	Before      string  `json:"before"`  // the version of the process that ends
	Shards      int     `json:"shards"`
	TookSeconds float64 `json:"took_seconds"` // from the start of the new process to its service
}
