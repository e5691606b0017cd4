package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"heimdall/core/control"
)

// usageError is a command line that makes no sense.
type usageError struct {
	why     string
	command string // the command whose help to read
}

func (e *usageError) Error() string { return e.why }

// unreachableError is a daemon that does not answer.
type unreachableError struct {
	socket string
	cause  error
}

func (e *unreachableError) Error() string {
	return fmt.Sprintf("no daemon answers at %s: %s", e.socket, e.reason())
}

func (e *unreachableError) Unwrap() error { return e.cause }

// reason puts the cause into words.
func (e *unreachableError) reason() string {
	switch {
	case errors.Is(e.cause, fs.ErrNotExist):
		return "there is no such socket"
	case errors.Is(e.cause, syscall.ECONNREFUSED):
		return "the socket is there, but nothing listens on it"
	case errors.Is(e.cause, context.Canceled):
		return "interrupted"
	case errors.Is(e.cause, context.DeadlineExceeded), errors.Is(e.cause, os.ErrDeadlineExceeded):
		return "no answer in time"
	}
	return e.cause.Error()
}

// hint says what to do about it.
func (e *unreachableError) hint() string {
	switch {
	case errors.Is(e.cause, fs.ErrPermission):
		return "run it as root or as a member of the socket's group"
	case errors.Is(e.cause, control.ErrProtocol):
		return "name the path of admin.socket in the daemon's configuration with -socket"
	case errors.Is(e.cause, context.Canceled):
		return ""
	case errors.Is(e.cause, context.DeadlineExceeded), errors.Is(e.cause, os.ErrDeadlineExceeded):
		return "see the daemon's log, or wait longer with -timeout"
	}
	return "start heimdalld, or name the path of admin.socket in its configuration with -socket"
}

// outcomeError is a command that was carried out without success: what was
// looked up is not there, or a zone was not loaded. With -json, the data says so.
type outcomeError struct{ what string }

func (e *outcomeError) Error() string { return e.what }

// differenceError is a diff that has found something, which it has told. As with diff(1) that is exit code 1.
type differenceError struct{}

func (differenceError) Error() string { return "a reload would change something" }

// troubleError is a failure of the daemon's for which 1 would say something else.
type troubleError struct{ cause *control.Error }

func (e troubleError) Error() string { return e.cause.Error() }

// fail tells the operator what happened, why, and what to do; it returns the exit code.
func (t *tool) fail(err error) int {
	if errors.Is(err, differenceError{}) {
		return exitFailed
	}
	if e, ok := errors.AsType[troubleError](err); ok {
		t.fail(e.cause)
		return exitUsage
	}
	if e, ok := errors.AsType[*control.Error](err); ok {
		if line, err := json.Marshal(control.Response{Error: e}); t.json && err == nil {
			_ = t.printJSON(line)
		}
		t.complain(e.Error(), e.Hint)
		return exitFailed
	}
	if e, ok := errors.AsType[*unreachableError](err); ok {
		hint := e.hint()
		if _, ok := errors.AsType[*noConfigError](err); ok {
			hint = "start heimdalld, or name a configuration with -config"
		}
		t.complain(e.Error(), hint)
		return exitUnreachable
	}
	if e, ok := errors.AsType[*outcomeError](err); ok {
		if !t.json {
			t.complain(e.Error(), "")
		}
		return exitFailed
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok { // standard output is gone
		t.complain("write the result: "+err.Error(), "")
		return exitFailed
	}
	command := "heimdallctl"
	if e, ok := errors.AsType[*usageError](err); ok {
		command = e.command
	}
	t.complain(err.Error(), "see "+command+" -help")
	return exitUsage
}

func (t *tool) complain(what, hint string) {
	text := "heimdallctl: " + strings.TrimSpace(what) + "\n"
	if hint != "" {
		text += "  to do: " + hint + "\n"
	}
	fmt.Fprint(t.env.errOut, strings.Map(printable, text))
}
