package ebpf

import (
	"fmt"
	"slices"
	"strings"
)

// Rejection is what the kernel's verifier has against a program. It is wrapped by an error that wraps ErrNotSupported too.
type Rejection struct {
	Words string   // what it says in the end
	Log   []string // all that it says, line by line
	Cause error    // of the system call
}

// Error returns the verifier's last words, in one line.
func (r *Rejection) Error() string { return fmt.Sprintf("%s: %v", r.Words, r.Cause) }

// Unwrap returns the error of the system call.
func (r *Rejection) Unwrap() error { return r.Cause }

// lastWords returns the lines of a log that say why: those behind the last instruction, but for what was processed.
func lastWords(log []string) string {
	var why []string
	for i := len(log) - 1; i >= 0 && len(why) < 3; i-- {
		line := strings.TrimSpace(log[i])
		switch {
		case line == "" || strings.HasPrefix(line, "processed ") || strings.HasPrefix(line, "verification time ") || strings.HasPrefix(line, "stack depth "):
			continue
		case line[0] >= '0' && line[0] <= '9' || line[0] == ';': // an instruction, or its source
			i = 0
		default:
			why = append(why, line)
		}
	}
	if len(why) == 0 {
		return "it does not say why"
	}
	slices.Reverse(why)
	return strings.Join(why, ", ")
}
