package main

// zoneList is what heimdallctl -json zones and zone reload print.
type zoneList struct {
	Zones []struct {
		Name, File, State, Progress string
		Serial                      uint32
		Records                     int
		MemoryBytes                 int `json:"memory_bytes"`
		Signed                      bool
		Problems                    []string
	}
}
