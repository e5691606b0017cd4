package control

import "context"

// The commands that answer an operator's questions about what is configured and why something is answered as it is.
const (
	CommandDiff    = "diff"
	CommandExplain = "explain"
	CommandTuned   = "tuned"
)

// OperatorServer is the part of Server that answers them.
type OperatorServer interface {
	Diff(context.Context) (*ConfigDiff, error)
	Explain(context.Context, ExplainArgs) (*Explanation, error)
	// Tuned is told what was changed on the machine; nothing of the daemon is.
	Tuned(context.Context, TunedArgs) (*Tuned, error)
}

// ConfigDiff is the reply to the command diff: what a reload would change. Nothing is changed.
type ConfigDiff struct {
	Config   string         `json:"config"`
	Files    []string       `json:"files"` // that a reload reads: the file and those that it includes
	Changes  []ConfigChange `json:"changes"`
	Zones    []string       `json:"zones"` // whose files have changed, or could not be loaded: they are read again
	Warnings []string       `json:"warnings,omitempty"`
}

// ConfigChange is a key, or a table of an array, whose value in the files is not the one in force.
type ConfigChange struct {
	Key    string `json:"key"`             // "cache.memory"; `zone "example."` for a table of an array
	Old    string `json:"old"`             // in force, as it stands in a file; empty: there is no such table
	New    string `json:"new"`             // likewise
	Reload bool   `json:"reload"`          // a reload applies it; false: it waits for a restart
	Place  string `json:"place,omitempty"` // "config.toml:12"; empty: the key stands in no file
}

// TunedArgs are the arguments of the command tuned.
type TunedArgs struct {
	Changes []string `json:"changes"` // that were made, one each
	Failed  []string `json:"failed,omitempty"`
}

// Tuned is the reply to the command tuned.
type Tuned struct{}

// Bounds of TunedArgs.
const (
	maxTuned     = 64
	maxTunedText = 512 // characters of each
)

// callOperator carries out the commands of OperatorServer; known is false for others.
func callOperator(ctx context.Context, s OperatorServer, req *Request) (data any, known bool, err error) {
	switch req.Command {
	case CommandDiff:
		if err := decodeArgs(req, &struct{}{}); err != nil {
			return nil, true, err
		}
		data, err = s.Diff(ctx)
	case CommandTuned:
		var args TunedArgs
		if err := decodeArgs(req, &args); err != nil {
			return nil, true, err
		}
		if err := args.check(); err != nil {
			return nil, true, err
		}
		data, err = s.Tuned(ctx, args)
	case CommandExplain:
		var args ExplainArgs
		if err := decodeArgs(req, &args); err != nil {
			return nil, true, err
		}
		if err := args.check(); err != nil {
			return nil, true, err
		}
		data, err = s.Explain(ctx, args)
	default:
		return nil, false, nil
	}
	return data, true, err
}

func (a *TunedArgs) check() error {
	if n := len(a.Changes) + len(a.Failed); n == 0 || n > maxTuned {
		return Errorf(CodeBadRequest, "tuned wants 1 to %d changes", maxTuned)
	}
	for _, list := range [][]string{a.Changes, a.Failed} {
		for _, text := range list {
			if len(text) > maxTunedText {
				return Errorf(CodeBadRequest, "a change is longer than %d characters", maxTunedText)
			}
		}
	}
	return nil
}
