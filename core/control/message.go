// Package control defines the administration protocol between heimdalld and
// heimdallctl: one JSON object a line in each direction over a stream, at most
// MaxRequest octets for a request and MaxResponse for a response. A response
// answers the oldest request that has none yet. That to the command profile is several lines.
//
// The daemon implements Server and hands its connections to Serve; a tool wraps
// its connection in a Client. Neither end trusts the other's sizes.
package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Sizes in octets, line feed included. They bound what either end buffers for
// the other.
const (
	// MaxRequest is the longest request. The longest useful one carries a name
	// of 255 octets in presentation form, at most 1020 characters.
	MaxRequest = 4096
	// MaxResponse is the longest response: 1024 shards at about 8 KiB each.
	MaxResponse = 8 << 20
)

// Request is what a tool sends.
type Request struct {
	Command string          `json:"command"`
	Args    json.RawMessage `json:"args,omitempty"` // the command's argument struct, if it has one
}

// Response is what the daemon sends: Data on success, otherwise Error.
type Response struct {
	Data  json.RawMessage `json:"data,omitempty"`
	Error *Error          `json:"error,omitempty"`
}

// Code says what kind of error a response carries, for programs to branch on.
type Code string

// The codes of errors.
const (
	CodeBadRequest     Code = "bad_request"     // not a request, or arguments that make no sense
	CodeUnknownCommand Code = "unknown_command" // this daemon does not have that command
	CodeTooLarge       Code = "too_large"       // the request or the response passed its limit
	CodeInvalidConfig  Code = "invalid_config"  // the configuration file has errors; nothing was changed
	CodeUnavailable    Code = "unavailable"     // the daemon cannot do that now: it is starting or draining
	CodeForbidden      Code = "forbidden"       // the peer may not do that
	CodeTimeout        Code = "timeout"         // a shard did not answer in time
	CodeInternal       Code = "internal"        // anything else
)

// Error is a failure that the daemon reports. The daemon's methods may return
// one to choose the code; any other error becomes CodeInternal.
type Error struct {
	Code    Code     `json:"code"`
	Message string   `json:"message"`           // what happened and why
	Hint    string   `json:"hint,omitempty"`    // what the operator can do about it
	Details []string `json:"details,omitempty"` // one line each, such as "config.toml:12: cache.memory: …"
}

// Error returns the message with its details, one a line.
func (e *Error) Error() string {
	if len(e.Details) == 0 {
		return e.Message
	}
	return e.Message + "\n  " + strings.Join(e.Details, "\n  ")
}

// Errorf makes an Error of the given code.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// errTrailing reports more than one JSON value in one line.
var errTrailing = errors.New("more than one JSON value")

// decode reads exactly one JSON value from data into v and refuses members that
// v has no field for, so that a misspelt argument is not silently ignored.
func decode(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errTrailing
	}
	return nil
}

// encode returns v as one line of JSON. Characters that matter only to HTML stay
// as they are, for people read these lines too.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
