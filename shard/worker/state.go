package worker

import "heimdall/shard"

// State is what a worker's shard is doing.
type State uint8

// The states.
const (
	Starting State = iota
	Running
	Restarting // it panicked; its sockets are kept open
	Draining
	Stopped
)

// String returns the state as operators see it.
func (s State) String() string {
	return [...]string{"starting", "running", "restarting", "draining", "stopped"}[s]
}

// State tells what the shard is doing.
func (w *Worker) State() State {
	s := w.current.Load()
	if s == nil {
		return Starting
	}
	switch s.State() {
	case shard.Starting:
		return Starting
	case shard.Running:
		return Running
	case shard.Draining, shard.Drained:
		return Draining
	}
	if w.Ending() {
		return Stopped
	}
	return Restarting
}
