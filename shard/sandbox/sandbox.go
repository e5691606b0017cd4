// Package sandbox takes from the running process what it has no use for: privileges, files and system calls. Whoever
// makes the daemon run code of his own then finds no program to start, no other process to look into, no file but those of
// the configuration, and no raw socket.
package sandbox

import (
	"errors"
	"fmt"
	"strings"

	"github.com/elastic/go-seccomp-bpf"
	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// Options say what the process keeps.
type Options struct {
	Read  []string // files and folders, with all below them, that may be read
	Write []string // folders in which files may be made, written, replaced and removed
	// Capabilities that stay, by number (capabilities(7)), if the process has them.
	Capabilities []int
}

// Report says what holds.
type Report struct {
	Holds []string // parts of the sandbox in force: "capabilities", "files", "system calls"
	Lacks []string // what the kernel lacks, one line each
	rules *Options // whose files bound the process; nil: nothing does
}

// Enter shuts the process in, all its threads and those to come. There is no way back. What the kernel cannot do is left
// out and reported; the rest holds none the less.
func Enter(o Options) Report {
	var r Report
	add := func(part string, err error) {
		if err != nil {
			r.Lacks = append(r.Lacks, fmt.Sprintf("%s are not confined: %v", part, err))
			return
		}
		r.Holds = append(r.Holds, part)
	}
	add("capabilities", errors.Join(gainNothing(), dropCapabilities(o.Capabilities)))
	files := restrictFiles(&o)
	if add("files", files); files == nil {
		r.rules = &o
	}
	// Last: what stands above takes system calls that it denies.
	add("system calls", filterCalls())
	return r
}

// Lacking lists what the kernel lacks, one line each, without entering anything.
func Lacking() (list []string) {
	if !hasLandlock() {
		list = append(list, errNoLandlock.Error())
	}
	if !seccomp.Supported() {
		list = append(list, "this kernel has no seccomp filters (it takes CONFIG_SECCOMP_FILTER)")
	}
	return list
}

// String is the report in one line.
func (r Report) String() string {
	if len(r.Holds) == 0 {
		return "off"
	}
	return "confined: " + strings.Join(r.Holds, ", ")
}

// gainNothing keeps the process from privileges that a program file gives to who starts it (prctl(2), PR_SET_NO_NEW_PRIVS).
// Landlock and seccomp ask for it.
func gainNothing() error {
	return everyThread(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0)
}

// everyThread makes a system call in all threads of the process: the kernel knows what is asked here of threads alone.
func everyThread(call, a, b, c uintptr) error {
	if _, _, errno := psx.Syscall6(call, a, b, c, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
