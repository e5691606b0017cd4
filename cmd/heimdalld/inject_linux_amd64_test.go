package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// call is a system call that the daemon is made to do, as whoever ran code of his own in it would.
type call struct {
	Number int
	Args   []any // numbers, and texts for the address of one that ends with a zero
}

// injectInto is the environment variable that makes this binary a tracer: it has the process that it names do the calls
// that it reads, and writes what comes of them. It is a process of its own, because who waits for a child's end would take a
// tracer's news.
const injectInto = "HEIMDALL_TEST_INJECT_INTO"

// inject makes the main thread of a process do system calls, and returns what they do.
func inject(t *testing.T, pid int, calls []call) (results []int64) {
	t.Helper()
	text, err := json.Marshal(calls)
	if err != nil {
		t.Fatal(err)
	}
	tracer := exec.Command(os.Args[0])
	tracer.Env = append(os.Environ(), injectInto+"="+strconv.Itoa(pid))
	tracer.Stdin = bytes.NewReader(text)
	out, err := tracer.Output()
	if err == nil {
		err = json.Unmarshal(out, &results)
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		t.Fatalf("%v: %s", err, exit.Stderr)
	}
	if err != nil || len(results) != len(calls) {
		t.Fatal(err, string(out))
	}
	return results
}

// runTracer is the tracer. It returns if this binary is not asked to be one.
func runTracer() {
	pid, err := strconv.Atoi(os.Getenv(injectInto))
	if err != nil {
		return
	}
	runtime.LockOSThread() // the tracer is a thread
	var calls []call
	err = json.NewDecoder(os.Stdin).Decode(&calls)
	results := make([]int64, len(calls))
	for i := 0; i < len(calls) && err == nil; i++ {
		results[i], err = trace(pid, calls[i])
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(results)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// trace has the main thread of a process do a system call.
func trace(pid int, c call) (result int64, err error) {
	for range 1000 {
		if err := ptrace(unix.PTRACE_SEIZE, pid); err != nil {
			return 0, err
		}
		if err := ptrace(unix.PTRACE_INTERRUPT, pid); err != nil {
			return 0, err
		}
		if _, err := syscall.Wait4(pid, nil, syscall.WALL, nil); err != nil {
			return 0, err
		}
		result, waits, err := doStopped(pid, c)
		if err := errors.Join(err, syscall.PtraceDetach(pid)); err != nil {
			return 0, err
		}
		if waits {
			return result, nil
		}
		time.Sleep(time.Millisecond)
	}
	return 0, errors.New("the thread never waits in the kernel")
}

func ptrace(request, pid int) error {
	if _, _, errno := syscall.Syscall6(syscall.SYS_PTRACE, uintptr(request), uintptr(pid), 0, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// doStopped has a stopped thread do a system call, unless it does not wait in one, whose instruction is used.
func doStopped(pid int, c call) (result int64, waits bool, err error) {
	var before syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(pid, &before); err != nil {
		return 0, false, err
	}
	instruction := make([]byte, 2)
	if _, err := syscall.PtracePeekText(pid, uintptr(before.Rip-2), instruction); err != nil {
		return 0, false, err
	}
	if !bytes.Equal(instruction, []byte{0x0f, 0x05}) { // syscall
		return 0, false, nil
	}
	regs := before
	regs.Rip -= 2
	regs.Rax, regs.Orig_rax = uint64(c.Number), ^uint64(0) // the call that it waits in is not begun again by this
	at := (before.Rsp - 4096) &^ 7                         // below what the stack holds
	var texts []byte
	var values [6]uint64
	for i, a := range c.Args {
		switch a := a.(type) {
		case float64: // as JSON has it
			values[i] = uint64(int64(a))
		case string:
			values[i] = at + uint64(len(texts))
			texts = append(texts, a...)
			texts = append(texts, make([]byte, 8-len(a)%8)...)
		}
	}
	saved := make([]byte, len(texts))
	if _, err := syscall.PtracePeekData(pid, uintptr(at), saved); err != nil {
		return 0, false, err
	}
	if _, err := syscall.PtracePokeData(pid, uintptr(at), texts); err != nil {
		return 0, false, err
	}
	regs.Rdi, regs.Rsi, regs.Rdx, regs.R10, regs.R8, regs.R9 = values[0], values[1], values[2], values[3], values[4], values[5]
	err = errors.Join(syscall.PtraceSetRegs(pid, &regs), step(pid), syscall.PtraceGetRegs(pid, &regs))
	_, back := syscall.PtracePokeData(pid, uintptr(at), saved)
	return int64(regs.Rax), true, errors.Join(err, back, syscall.PtraceSetRegs(pid, &before))
}

// step lets a stopped thread execute one instruction. Signals that come meanwhile are not delivered: Go's runtime sends those
// that count again.
func step(pid int) error {
	for range 1000 {
		if err := syscall.PtraceSingleStep(pid); err != nil {
			return err
		}
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(pid, &status, syscall.WALL, nil); err != nil {
			return err
		}
		if !status.Stopped() {
			return fmt.Errorf("the process has ended: %x", status)
		}
		if status.StopSignal() == syscall.SIGTRAP && status.TrapCause() <= 0 {
			return nil
		}
	}
	return errors.New("the thread does not execute an instruction")
}
