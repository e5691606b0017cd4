package preflight

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"heimdall/ebpf"
)

// Rejection is what the kernel's verifier has against a program.
type Rejection = ebpf.Rejection

// programs tries the programs themselves on this kernel: it may have all that they need, and its verifier reject them.
func programs(i *inspector, report reporter) {
	var good, refused []string
	for _, p := range i.m.Programs() {
		var rejection *Rejection
		switch {
		case p.Err == nil:
			good = append(good, p.Name)
		case errors.As(p.Err, &rejection):
			report(i.needed(), fmt.Sprintf("the kernel's verifier rejects %s: %s", p.Name, rejection.Words),
				"what it is for is done without it; report this with the kernel's release and the verifier's log", "heimdallctl doctor -v")
			i.findings[len(i.findings)-1].Log = rejection.Log
		case errors.Is(p.Err, fs.ErrPermission):
			refused = append(refused, p.Name)
		default:
			first, _, _ := strings.Cut(p.Err.Error(), "\n")
			report(i.needed(), fmt.Sprintf("%s does not load: %s", p.Name, first), "what it is for is done without it", "")
		}
	}
	if len(good) > 0 {
		report(OK, strings.Join(good, ", ")+": loaded and taken out again", "", "")
	}
	if len(refused) > 0 {
		report(Warn, "not tried: "+strings.Join(refused, ", ")+": not permitted", "run this as root", "sudo heimdallctl doctor")
	}
}
