package preflight

import (
	"fmt"
	"strconv"
	"strings"
)

// openFiles compares the limit of open files with what the configuration may need. The daemon raises its own up to the
// hard limit when it starts, and beyond it with CAP_SYS_RESOURCE.
func openFiles(i *inspector, report reporter) {
	need := i.Config.Descriptors(max(len(i.Shards), 1))
	for line := range strings.Lines(text(i.m, "proc/"+i.PID+"/limits")) {
		rest, ok := strings.CutPrefix(line, "Max open files")
		if !ok {
			continue
		}
		fields := strings.Fields(rest)
		if len(fields) < 2 {
			break
		}
		limit := fields[1]
		if n, err := strconv.Atoi(limit); limit == "unlimited" || err == nil && n >= need {
			report(OK, fmt.Sprintf("up to %s, %d may be needed", limit, need), "", "")
			return
		}
		report(Warn, fmt.Sprintf("up to %s, but %d may be needed for tcp.max_connections = %d of each shard", limit, need, i.Config.TCP.MaxConnections),
			"TCP clients beyond the limit wait or are closed: raise it (in a systemd unit: LimitNOFILE=), or lower tcp.max_connections", fmt.Sprintf("ulimit -n %d", need))
		return
	}
	report(Warn, "the limit of open files cannot be read", "", "")
}
