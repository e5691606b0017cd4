package preflight

import (
	"fmt"
	"strings"

	"heimdall/ebpf"
)

// Values of rp_filter (Documentation/networking/ip-sysctl.rst).
const (
	filterStrict = 1
	filterLoose  = 2
)

// sourceCheck compares the host's check of source addresses with that of the XDP program, whose answers skip the host's.
func sourceCheck(i *inspector, name string, report reporter) {
	way := i.Config.XDP.ReversePath
	if !i.xdp() {
		report(OK, "the XDP program is off, every query meets the host's own check", "", "")
		return
	}
	if off := ebpf.NotForwarding(i.m.Files()); way != "off" && len(off) > 0 {
		report(Fail, fmt.Sprintf("xdp.reverse_path is %q, but %s is 0", way, strings.Join(off, " and ")),
			"routes are looked up as if from the loopback interface, which has to forward: until it does, nothing is answered in the kernel", ebpf.ForwardCommand(off))
		return
	}
	all, _ := number(i.m, "proc/sys/net/ipv4/conf/all/rp_filter")
	own, _ := number(i.m, "proc/sys/net/ipv4/conf/"+name+"/rp_filter")
	switch filter := max(all, own); {
	case filter == filterStrict && way != "strict":
		report(Warn, fmt.Sprintf("rp_filter is strict, xdp.reverse_path is %q", way),
			"what is answered in the kernel, or goes to AF_XDP, skips rp_filter: forged sources that it would stop get answers; set xdp.reverse_path to \"strict\", or know of it", "")
	case filter == filterLoose && way == "off":
		report(OK, "rp_filter is loose, and xdp.reverse_path off: forged sources without any route get answers from the kernel", "", "")
	default:
		report(OK, fmt.Sprintf("xdp.reverse_path is %q, rp_filter asks for no more", way), "", "")
	}
}
