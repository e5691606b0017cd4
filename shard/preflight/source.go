package preflight

import (
	"fmt"
	"path"
	"strings"

	"heimdall/ebpf"
)

// filters reports the host's firewall, which does not apply to what the kernel answers.
func filters(i *inspector, report reporter) {
	if !i.xdp() {
		report(OK, "the XDP program is off, every query meets the host's own rules", "", "")
		return
	}
	list, err := i.m.Filters()
	// The older iptables tells the names of its tables, not whether they have rules.
	for _, file := range []string{"proc/net/ip_tables_names", "proc/net/ip6_tables_names"} {
		for table := range strings.FieldsSeq(text(i.m, file)) {
			list = append(list, strings.TrimSuffix(path.Base(file), "_names")+" "+table+", rules not told")
		}
	}
	if err != nil && len(list) > 0 {
		list = append(list, "nftables not looked at: "+cause(err))
	}
	switch {
	case len(list) > 0:
		report(Warn, "rules on the way in: "+strings.Join(list, "; "),
			"what is answered in the kernel, or goes to AF_XDP, never meets them: say in limit.deny and recursion.allow too who may not ask", "nft list ruleset")
	case err != nil:
		report(Warn, "not found out: "+cause(err), "run this as root", "sudo heimdallctl doctor")
	default:
		report(OK, "no rules on the way in", "", "")
	}
}

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
