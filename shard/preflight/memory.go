package preflight

import (
	"fmt"
	"strings"
)

func receiveBuffers(i *inspector, report reporter) {
	i.buffers(report, "rmem_max", "receive", int(i.Config.Server.RcvBuf), "server.rcvbuf")
}

func sendBuffers(i *inspector, report reporter) {
	i.buffers(report, "wmem_max", "send", int(i.Config.Server.SndBuf), "server.sndbuf")
}

// buffers compares a sysctl with what the configuration asks for. With CAP_NET_ADMIN the daemon goes beyond it.
func (i *inspector) buffers(report reporter, sysctl, what string, want int, key string) {
	limit, ok := number(i.m, "proc/sys/net/core/"+sysctl)
	switch {
	case !ok:
		report(Warn, "net.core."+sysctl+" cannot be read", "", "")
	case limit >= want:
		report(OK, fmt.Sprintf("%d bytes, %s asks for %d", limit, key, want), "", "")
	case i.has(capNetAdmin):
		report(OK, fmt.Sprintf("%d bytes, less than the %d of %s, which the daemon gets as it has CAP_NET_ADMIN", limit, want, key), "", "")
	default:
		report(Warn, fmt.Sprintf("%d bytes, less than the %d of %s", limit, want, key),
			"bursts longer than the "+what+" buffer are lost: raise the limit", fmt.Sprintf("sysctl -w net.core.%s=%d", sysctl, want))
	}
}

func hugePages(i *inspector, report reporter) {
	mode := text(i.m, "sys/kernel/mm/transparent_hugepage/enabled")
	switch {
	case !i.Config.Memory.HugePages:
		report(OK, "memory.huge_pages is false", "", "")
	case strings.Contains(mode, "[always]"), strings.Contains(mode, "[madvise]"):
		report(OK, "transparent huge pages: "+mode, "", "")
	case mode == "":
		report(Warn, "this kernel has no transparent huge pages", "the caches use small pages, with more TLB misses", "")
	default:
		report(Warn, "transparent huge pages: "+mode, "the caches use small pages, with more TLB misses: let them ask for large ones",
			"echo madvise > /sys/kernel/mm/transparent_hugepage/enabled")
	}
}
