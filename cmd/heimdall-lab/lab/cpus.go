package lab

import (
	"os/exec"
	"runtime"

	"heimdall/affinity"
)

// startOn starts cmd on the given CPUs, if there are any.
func startOn(cpus []int, cmd *exec.Cmd) error {
	if cpus == nil {
		return cmd.Start()
	}
	// A process inherits the CPUs of the thread that starts it, and gets a signal when that thread ends: it
	// has to go on, on the CPUs that it had.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := affinity.Allowed()
	if err != nil {
		return err
	}
	if err := affinity.SetThreadAffinity(cpus); err != nil {
		return err
	}
	started := cmd.Start()
	if err := affinity.SetThreadAffinity(before); err != nil {
		return err
	}
	return started
}
