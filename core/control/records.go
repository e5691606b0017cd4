package control

// Records are the query log and dnstap. What was lost on the way to them is among the counters of the shards.
type Records struct {
	QueryLog Output `json:"query_log"`
	Dnstap   Output `json:"dnstap"`
}

// Output is where lines or messages go.
type Output struct {
	To      string `json:"to"`                // as the configuration has it; empty: it is off
	Broken  bool   `json:"broken,omitempty"`  // it cannot be written to, or no reader is connected
	Written uint64 `json:"written"`           // lines or messages
	Failed  uint64 `json:"failed,omitempty"`  // those that were lost when they were to be written
	Limited uint64 `json:"limited,omitempty"` // lines above query_log.max_per_second
}
