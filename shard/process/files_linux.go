package process

import "golang.org/x/sys/unix"

// RaiseFiles raises the limit of open files to need, or as far as the process may. It returns the limit that is then in force.
func RaiseFiles(need uint64) (limit uint64, err error) {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 0, err
	}
	if l.Cur >= need {
		return l.Cur, nil
	}
	// Who may not go beyond the hard limit gets that.
	if unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: need, Max: max(need, l.Max)}) == nil {
		return need, nil
	}
	if hard := (unix.Rlimit{Cur: l.Max, Max: l.Max}); l.Cur < l.Max && unix.Setrlimit(unix.RLIMIT_NOFILE, &hard) == nil {
		return l.Max, nil
	}
	return l.Cur, nil
}
