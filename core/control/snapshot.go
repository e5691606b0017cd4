package control

// Snapshot tells about the file that keeps the caches over a restart.
type Snapshot struct {
	File string `json:"file"`
	// Of the last file that was written; SavedAt in seconds since 1970, 0: none was.
	SavedAt      int64   `json:"saved_at"`
	SavedEntries uint64  `json:"saved_entries"`
	SavedBytes   int64   `json:"saved_bytes"`
	SaveSeconds  float64 `json:"save_seconds"`
	Saves        uint64  `json:"saves"`
	Failures     uint64  `json:"failures"`
	LastFail     string  `json:"last_fail,omitempty"` // of the last try to write, if that has failed
	// Of the file that was there at the start.
	Loading       bool    `json:"loading"`
	LoadedEntries uint64  `json:"loaded_entries"`
	LoadSeconds   float64 `json:"load_seconds"`
	LoadNote      string  `json:"load_note,omitempty"` // why not all of it, or nothing, was taken over
}
