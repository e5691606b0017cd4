package preflight

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// The oldest kernel that the XDP program can be loaded on: its helpers and the links that end with the process are
// all there in 5.15.
const oldestMajor, oldestMinor = 5, 15

// version returns the first two numbers of the kernel's release.
func version(m Machine) (release string, major, minor int) {
	release = text(m, "proc/sys/kernel/osrelease")
	fmt.Sscanf(release, "%d.%d", &major, &minor)
	return release, major, minor
}

func kernelVersion(i *inspector, report reporter) {
	release, major, minor := version(i.m)
	if major > oldestMajor || major == oldestMajor && minor >= oldestMinor {
		report(OK, "Linux "+release, "", "")
		return
	}
	report(i.needed(), "Linux "+release, fmt.Sprintf("the XDP program needs Linux %d.%d or later; kernel sockets serve without it", oldestMajor, oldestMinor), "")
}

func kernelFeatures(i *inspector, report reporter) {
	var missing, causes []string
	unknown := map[string][]string{} // by cause
	features := i.m.Features()
	for _, f := range features {
		switch {
		case f.Err == nil:
		case errors.Is(f.Err, ErrNotSupported):
			missing = append(missing, f.Name)
		default:
			why := cause(f.Err)
			if unknown[why] == nil {
				causes = append(causes, why)
			}
			unknown[why] = append(unknown[why], f.Name)
		}
	}
	switch {
	case len(missing) > 0:
		report(i.needed(), "the kernel lacks "+strings.Join(missing, ", "),
			"the XDP program, steering by name or AF_XDP need it: use a kernel built with CONFIG_BPF_SYSCALL and CONFIG_XDP_SOCKETS", "")
	case len(causes) > 0:
		for n, why := range causes {
			causes[n] = strings.Join(unknown[why], ", ") + ": " + why
		}
		report(Warn, "not found out: "+strings.Join(causes, "; "), "run this as root", "sudo heimdallctl doctor")
	default:
		var names []string
		for _, f := range features {
			names = append(names, f.Name)
		}
		report(OK, strings.Join(names, ", "), "", "")
	}
}

// cause is the reason of an error in one line, so that features that fail for the same reason are reported together.
func cause(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "not permitted"
	}
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return first
}

func typeInformation(i *inspector, report reporter) {
	if _, err := fs.Stat(i.m.Files(), "sys/kernel/btf/vmlinux"); err != nil {
		report(OK, "no type information of the kernel (BTF); only tools such as bpftool want it", "", "")
		return
	}
	report(OK, "the kernel has its type information (BTF)", "", "")
}

func ioUring(i *inspector, report reporter) {
	found := "not used"
	if n, ok := number(i.m, "proc/sys/kernel/io_uring_disabled"); ok && n > 0 {
		found = "switched off in this kernel, and not used"
	}
	report(OK, found, "", "")
}

// Numbers of capabilities (linux/capability.h).
const (
	capBindService = 10
	capNetAdmin    = 12
	capNetRaw      = 13
	capIPCLock     = 14
	capSysAdmin    = 21
	capBPF         = 39
)

// has tells whether the daemon has a capability.
func (i *inspector) has(capability uint) bool {
	for line := range strings.Lines(text(i.m, "proc/"+i.PID+"/status")) {
		if set, ok := strings.CutPrefix(line, "CapEff:"); ok {
			n, err := strconv.ParseUint(strings.TrimSpace(set), 16, 64)
			return err == nil && n>>capability&1 == 1
		}
	}
	return false
}

func capabilities(i *inspector, report reporter) {
	var missing []string
	need := func(wanted bool, capability uint, name string) {
		if wanted && !i.has(capability) && !(capability == capBPF && i.has(capSysAdmin)) {
			missing = append(missing, name)
		}
	}
	low := false
	first, ok := number(i.m, "proc/sys/net/ipv4/ip_unprivileged_port_start")
	if !ok {
		first = 1024
	}
	for _, a := range i.Config.Server.Listen {
		low = low || int(a.Port()) < first
	}
	need(low, capBindService, "CAP_NET_BIND_SERVICE")
	need(i.xdp(), capNetAdmin, "CAP_NET_ADMIN")
	need(i.xdp() || i.Config.XDP.Steer == "name", capBPF, "CAP_BPF")
	need(i.Config.IO.Backend == "xsk", capNetRaw, "CAP_NET_RAW")
	if len(missing) == 0 {
		report(OK, "all that this configuration needs", "", "")
		return
	}
	report(Fail, "without "+strings.Join(missing, ", "), "run the daemon as root, or give it these capabilities (in a systemd unit: AmbientCapabilities)",
		"setcap "+strings.ToLower(strings.Join(missing, ","))+"+ep \"$(command -v heimdalld)\"")
}

// socketMemory in bytes is what an AF_XDP socket may take of locked memory: frames, and rings beside them.
const socketMemory = 64 << 20

func lockedMemory(i *inspector, report reporter) {
	limit := ""
	for line := range strings.Lines(text(i.m, "proc/"+i.PID+"/limits")) {
		if rest, ok := strings.CutPrefix(line, "Max locked memory"); ok {
			limit, _, _ = strings.Cut(strings.TrimSpace(rest), " ")
		}
	}
	n, err := strconv.Atoi(limit)
	if limit == "unlimited" || i.has(capIPCLock) || err == nil && n >= socketMemory || !i.xdp() {
		report(OK, "limit "+limit+" bytes, or not needed", "", "")
		return
	}
	// Since Linux 5.11 what BPF maps take counts for the control group, not for this limit.
	report(Warn, "limit "+limit+" bytes", "AF_XDP sockets lock their memory: without CAP_IPC_LOCK raise the limit (in a systemd unit: LimitMEMLOCK=infinity)", "ulimit -l unlimited")
}

// confinement says whether this kernel can shut the daemon in.
func confinement(i *inspector, report reporter) {
	lacks := i.m.SandboxLacks()
	switch {
	case i.Config.Security.Sandbox == "off":
		report(OK, "security.sandbox is \"off\"", "", "")
	case len(lacks) > 0:
		report(Warn, strings.Join(lacks, "; "), "the sandbox has a part less: boot a kernel that has it", "")
	default:
		report(OK, "Landlock and seccomp", "", "")
	}
}
