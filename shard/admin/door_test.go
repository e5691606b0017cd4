package admin

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"heimdall/core/control"
)

// flushing is a server that takes commands of which nothing is wanted.
type flushing struct {
	control.Server
	flushes int
}

func (f *flushing) CacheFlush(context.Context, control.CacheFlushArgs) (*control.CacheFlush, error) {
	f.flushes++
	return &control.CacheFlush{}, nil
}

func (f *flushing) Status(context.Context) (*control.Status, error) { return &control.Status{}, nil }

// Behind a door that is shut nothing changes, and status is told.
func TestShutDoor(t *testing.T) {
	var d door
	s := &flushing{}
	c := newDeeds(s, slog.New(slog.DiscardHandler), peer{}, &d)
	if _, err := c.CacheFlush(t.Context(), control.CacheFlushArgs{}); err != nil || s.flushes != 1 {
		t.Fatal(err)
	}
	d.close("another process serves from now on")
	_, err := c.CacheFlush(t.Context(), control.CacheFlushArgs{})
	if e, ok := errors.AsType[*control.Error](err); !ok || e.Code != control.CodeUnavailable || s.flushes != 1 {
		t.Errorf("%v, %d flushes", err, s.flushes)
	}
	for name, do := range map[string]func() error{
		"zone reload": func() error { _, err := c.ZoneReload(t.Context(), control.ZoneReloadArgs{}); return err },
		"nta add":     func() error { _, err := c.NTAAdd(t.Context(), control.NTAArgs{}); return err },
		"nta remove":  func() error { _, err := c.NTARemove(t.Context(), control.NTAArgs{}); return err },
	} {
		if do() == nil {
			t.Errorf("%s goes through", name)
		}
	}
	if _, err := c.Status(t.Context()); err != nil {
		t.Error(err)
	}
}
