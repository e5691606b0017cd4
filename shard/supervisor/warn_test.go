package supervisor

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"heimdall/ebpf"
)

// A program that the verifier rejects is told of in one line, with the reason and where the rest is to be seen.
func TestWarningOfARejection(t *testing.T) {
	s := &Supervisor{log: slog.New(slog.DiscardHandler)}
	r := &ebpf.Rejection{Words: "R8 is not allowed", Log: []string{"0: r0 = 0", "R8 is not allowed"}, Cause: errors.New("permission denied")}
	s.warn("it is off", fmt.Errorf("load it: %w (%w)", ebpf.ErrNotSupported, r))
	if got := s.warnings[0]; !strings.Contains(got, "R8 is not allowed") || !strings.Contains(got, "doctor -v") || strings.Contains(got, "\n") {
		t.Errorf("%q", got)
	}
}
