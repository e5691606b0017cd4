package hot

import (
	"errors"
	"log/slog"
	"testing"

	"heimdall/ebpf"
)

// Counters that cannot be read for a while do not seem to fall, nor to rise from zero afterwards.
func TestSnapshotKeepsWhatWasTold(t *testing.T) {
	tier := &Tier{o: Options{Log: slog.New(slog.DiscardHandler)}}
	counted := func(n uint64) (s Snapshot) {
		s.Interfaces = []Interface{{Name: "eth0"}}
		for e := range s.Exits {
			s.Exits[e] = n
		}
		return s
	}
	unread := errors.New("for the test")
	if s := tier.told(counted(1), unread); !s.Stale || s.Exits != (ebpf.Stats{}) || len(s.Interfaces) != 0 {
		t.Errorf("before anything was told: %+v", s)
	}
	tier.told(counted(7), nil)
	if s := tier.told(counted(1), unread); !s.Stale || s.Exits != counted(7).Exits || len(s.Interfaces) != 1 {
		t.Errorf("while nothing is told: %+v", s)
	}
	if s := tier.told(counted(9), nil); s.Stale || s.Exits != counted(9).Exits {
		t.Errorf("told again: %+v", s)
	}
	if s := tier.Snapshot(); s.Stale || len(s.Interfaces) != 0 {
		t.Errorf("without a program: %+v", s)
	}
}
