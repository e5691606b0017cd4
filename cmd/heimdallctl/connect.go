package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"heimdall/core/control"
)

// raw asks the daemon over a connection of its own.
func (t *tool) raw(ctx context.Context, command string, args any) (json.RawMessage, error) {
	return connected(ctx, t, func(c *control.Client) (json.RawMessage, error) { return c.Raw(command, args) })
}

// connected has f ask the daemon over a connection of its own.
func connected[T any](ctx context.Context, t *tool, f func(*control.Client) (T, error)) (none T, err error) {
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	conn, err := t.env.dial(ctx, t.socket)
	if err != nil {
		return none, &unreachableError{t.socket, err}
	}
	defer conn.Close()
	// A deadline in the past is how a wait on the connection is broken off.
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()

	data, err := f(control.NewClient(conn))
	if _, ok := errors.AsType[*control.Error](err); err != nil && !ok {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return none, &unreachableError{t.socket, err}
	}
	return data, err
}

// fetch asks the daemon and decodes its reply.
func fetch[T any](ctx context.Context, t *tool, command string) (*T, error) {
	data, err := t.raw(ctx, command, nil)
	if err != nil {
		return nil, err
	}
	reply := new(T)
	if err := json.Unmarshal(data, reply); err != nil {
		return nil, &unreachableError{t.socket, control.ErrProtocol}
	}
	return reply, nil
}
