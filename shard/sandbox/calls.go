package sandbox

import (
	"os"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/sys/unix"
)

// calls are the system calls that the daemon and Go's runtime make once it serves, whatever their arguments. The kernel
// keeps such verdicts in a bitmap (from 5.11 on), so that the calls of the packet path cost next to nothing more. Those that
// an architecture lacks are left out.
var calls = []string{
	// Packets and streams.
	"recvmmsg", "sendmmsg", "recvmsg", "sendmsg", "recvfrom", "sendto", "read", "write", "readv", "writev",
	"epoll_pwait", "epoll_pwait2", "epoll_wait", "epoll_ctl", "epoll_create1", "poll", "ppoll", "eventfd2", "pipe2",
	"accept4", "accept", "bind", "connect", "listen", "shutdown", "socketpair",
	"getsockname", "getpeername", "getsockopt", "setsockopt",
	// Files.
	"openat", "close", "close_range", "fstat", "newfstatat", "fstatat", "statx", "fstatfs", "statfs", "lseek",
	"pread64", "pwrite64", "ftruncate", "fallocate", "fsync", "fdatasync", "sync_file_range", "fadvise64", "getdents64", "readlinkat", "readlink",
	"faccessat", "faccessat2", "access", "unlinkat", "unlink", "renameat", "renameat2", "rename", "fchmod", "fchmodat", "chmod", "fchown",
	"fcntl", "flock", "dup", "dup3", "getcwd", "umask", "copy_file_range", "sendfile", "splice",
	"inotify_init1", "inotify_add_watch", "inotify_rm_watch",
	// Memory.
	"munmap", "madvise", "mremap", "mincore", "mbind", "get_mempolicy", "set_mempolicy", "brk", "mlock", "munlock", "membarrier", "memfd_create",
	// Threads, time and signals.
	"futex", "nanosleep", "clock_nanosleep", "clock_gettime", "clock_getres", "gettimeofday", "time", "restart_syscall",
	"sched_yield", "sched_getaffinity", "sched_setaffinity", "sched_getattr", "sched_setattr", "getpriority", "setpriority",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigtimedwait", "sigaltstack",
	"timer_create", "timer_settime", "timer_delete", "timerfd_create", "timerfd_settime", "setitimer",
	"set_robust_list", "get_robust_list", "set_tid_address", "rseq", "gettid", "getpid", "getppid", "exit", "exit_group", "wait4", "waitid",
	// The process itself. Nothing that prctl does gives a process more than it has.
	"getrandom", "prctl", "getuid", "geteuid", "getgid", "getegid", "uname", "sysinfo", "getrusage", "getrlimit", "setrlimit", "prlimit64", "capget", "times",
	// The programs in the kernel. The capabilities say who may load them.
	"bpf",
}

// Bits of arguments.
const (
	flagsOfSockets = unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK
	allBits        = ^uint64(0)
)

// conditional are the calls that some arguments are denied to.
func conditional() (list []seccomp.NameWithConditions) {
	permit := func(name string, conditions ...seccomp.Condition) {
		list = append(list, seccomp.NameWithConditions{Name: name, Conditions: conditions})
	}
	is := func(argument uint32, value uint64) seccomp.Condition {
		return seccomp.Condition{Argument: argument, Operation: seccomp.Equal, Value: value}
	}
	lacks := func(argument uint32, bits uint64) seccomp.Condition {
		return seccomp.Condition{Argument: argument, Operation: seccomp.BitsNotSet, Value: bits}
	}
	// UDP and TCP; SOCK_RAW, which is both bits, would show all packets, and send forged ones.
	for _, family := range []uint64{unix.AF_INET, unix.AF_INET6} {
		for _, kind := range []uint64{unix.SOCK_DGRAM, unix.SOCK_STREAM} {
			permit("socket", is(0, family), lacks(1, allBits&^(kind|flagsOfSockets)))
		}
	}
	for _, family := range []uint64{unix.AF_UNIX, unix.AF_NETLINK, unix.AF_XDP} {
		permit("socket", is(0, family))
	}
	// Threads, but no processes.
	permit("clone", seccomp.Condition{Operation: seccomp.BitsSet, Value: unix.CLONE_THREAD})
	// No memory becomes code.
	permit("mmap", lacks(2, unix.PROT_EXEC))
	permit("mprotect", lacks(2, unix.PROT_EXEC))
	// Signals to this process alone.
	self := uint64(os.Getpid())
	permit("tgkill", is(0, self))
	permit("kill", is(0, self))
	// Interfaces; what is unread in a socket; whether a file is a terminal. Others type into terminals.
	for _, request := range []uint64{
		unix.SIOCETHTOOL, unix.SIOCGIFINDEX, unix.SIOCGIFNAME, unix.SIOCGIFMTU, unix.SIOCGIFFLAGS, unix.TIOCINQ, unix.SIOCOUTQ,
		unix.TCGETS, unix.TIOCGWINSZ,
	} {
		permit("ioctl", is(1, request))
	}
	return list
}

// speculate keeps the filter from slowing the whole process (SECCOMP_FILTER_FLAG_SPEC_ALLOW): kernels before 5.16 else
// switch on mitigations that are for code of strangers.
const speculate = seccomp.FilterFlag(unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW)

// filterCalls has the kernel deny all system calls but those above, with EPERM (seccomp(2)).
func filterCalls() error {
	machine, err := arch.GetInfo("")
	if err != nil {
		return err
	}
	permitted := seccomp.SyscallGroup{Action: seccomp.ActionAllow, NamesWithCondtions: conditional()}
	for _, name := range calls {
		if _, known := machine.SyscallNames[name]; known {
			permitted.Names = append(permitted.Names, name)
		}
	}
	// Its flags lie in memory, where a filter cannot look. Who calls it turns to clone then.
	absent := seccomp.SyscallGroup{Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS), Names: []string{"clone3"}}
	return seccomp.LoadFilter(seccomp.Filter{
		Flag:   seccomp.FilterFlagTSync | speculate,
		Policy: seccomp.Policy{DefaultAction: seccomp.ActionErrno, Syscalls: []seccomp.SyscallGroup{permitted, absent}},
	})
}
