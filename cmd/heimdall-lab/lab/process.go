package lab

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// start starts a program in the namespace.
func (n namespace) start(name string, args ...string) (*daemon, error) {
	d := &daemon{cmd: n.command(name, args...), exited: make(chan struct{})}
	d.cmd.Stdout, d.cmd.Stderr = &d.log, &d.log
	if err := startOn(nil, d.cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() { d.cmd.Wait(); close(d.exited) }()
	return d, nil
}

// over waits for the end of a program that was told to end.
func (d *daemon) over() error {
	select {
	case <-d.exited:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("%s does not end: %s", d.cmd.Path, &d.log)
	}
}

// end ends a program whatever it does. nil is none.
func (d *daemon) end() error {
	if d == nil {
		return nil
	}
	d.cmd.Process.Kill()
	return d.over()
}

// ended waits for the end of a process. Its output may go on, where another process has taken its place.
func ended(pid int) error {
	for end := time.Now().Add(patience); runs(pid); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("process %d does not end", pid)
		}
	}
	return nil
}

// runs tells whether there is a process that has not ended, whether somebody has waited for it or not.
func runs(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	// proc_pid_stat(5): the state stands behind the name, which is in parentheses and may be anything.
	_, state, _ := strings.Cut(string(stat[bytes.LastIndexByte(stat, ')')+1:]), " ")
	return !strings.HasPrefix(state, "Z") && !strings.HasPrefix(state, "X")
}

// readPID reads what `heimdallctl -json upgrade` prints.
func readPID(out []byte) (int, error) {
	var reply struct {
		PID int `json:"pid"`
	}
	if err := json.Unmarshal(out, &reply); err != nil || reply.PID <= 0 {
		return 0, errors.New("the upgrade does not tell the new process: " + string(out))
	}
	return reply.PID, nil
}
