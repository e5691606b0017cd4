package admin

import (
	"sync"

	"heimdall/core/control"
)

// door is what commands go through that change what another process takes over: the caches, zones and negative trust anchors. The
// zero value is open.
type door struct {
	mu   sync.RWMutex // held by commands for reading
	shut string       // why; empty: it is open
}

// enter begins a command, which leave ends, unless the door is shut.
func (d *door) enter() (leave func(), err error) {
	d.mu.RLock()
	if d.shut != "" {
		defer d.mu.RUnlock()
		return nil, &control.Error{Code: control.CodeUnavailable, Message: d.shut + "; nothing was changed", Hint: "give the command again"}
	}
	return d.mu.RUnlock, nil
}

// close lets the commands end that are under way, and no others begin.
func (d *door) close(why string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = why
}
