package control

import "time"

// ZoneState says whether a zone is answered from.
type ZoneState string

// The states of a zone.
const (
	ZoneServing ZoneState = "serving"
	ZoneLoading ZoneState = "loading" // a version is being read; the old one, if there is one, is served
	ZoneFailed  ZoneState = "failed"  // the last version was not usable; the old one, if there is one, is served
)

// ZoneInfo is one zone that the daemon is configured to serve. Serial to MemoryBytes, Loaded, LoadSeconds,
// Signed and ZONEMD are those of the version that is served; without one, Loaded is zero.
type ZoneInfo struct {
	Name        string    `json:"name"` // of the apex: absolute, lower case
	File        string    `json:"file"`
	Serial      uint32    `json:"serial"`
	Records     uint64    `json:"records"`
	Names       uint64    `json:"names"`        // names that own records or have names below them
	MemoryBytes uint64    `json:"memory_bytes"` // all copies: one for each NUMA node with shards
	Loaded      time.Time `json:"loaded,omitzero"`
	LoadSeconds float64   `json:"load_seconds"` // reading, checking and packing it
	State       ZoneState `json:"state"`
	Signed      bool      `json:"signed"`             // it has an NSEC or NSEC3 chain
	ZONEMD      string    `json:"zonemd"`             // "absent", "verified", "unsupported" or "wrong", RFC 8976
	Problems    []string  `json:"problems,omitempty"` // of the last load, with file and line; the first ones
	Progress    string    `json:"progress,omitempty"` // of the load that is going on
}

// ZoneList is the reply to the commands zones, with all zones in order of their names, and zone.reload, with
// those that were reloaded: a zone that could not be has the state ZoneFailed.
type ZoneList struct {
	Zones []ZoneInfo `json:"zones"`
}

// ZoneReloadArgs are the arguments of the command zone.reload.
type ZoneReloadArgs struct {
	Name string `json:"name,omitempty"` // presentation form; empty: all zones
}

// ZoneLookupArgs are the arguments of the command zone.lookup.
type ZoneLookupArgs struct {
	Name string `json:"name"` // presentation form
	Type string `json:"type"` // mnemonic or TYPEnnn
	DO   bool   `json:"do,omitempty"`
}

// ZoneLookup is what the daemon answers from its zones. An empty Zone means that no zone encloses the name.
type ZoneLookup struct {
	Name       string   `json:"name"` // as understood: absolute, lower case
	Type       string   `json:"type"`
	Zone       string   `json:"zone"`  // that the answer starts in
	Rcode      string   `json:"rcode"` // mnemonic
	Flags      []string `json:"flags"` // "AA", "TC"
	Answer     []string `json:"answer"`
	Authority  []string `json:"authority"`
	Additional []string `json:"additional"`
}
