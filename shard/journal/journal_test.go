package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"heimdall/shard/shardtest"
)

// Text and JSON are what package slog writes, and a change of format or level counts from the next line on.
func TestFormats(t *testing.T) {
	out := new(shardtest.Buffer)
	j := New(out, "", false, Options{Format: Auto})
	log := j.Logger().With("by", "test").WithGroup("g")
	log.Info("one", "zone", "example.", "error", errors.New("no such file"))
	log.Debug("too much")
	j.Configure(Options{Level: slog.LevelDebug, Format: JSON})
	log.Debug("two", "n", 2)
	j.FixLevel(slog.LevelWarn)
	log.Info("too little")
	j.Flush()
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 3 || !strings.HasSuffix(lines[0], ` level=INFO msg=one by=test g.zone=example. g.error="no such file"`) {
		t.Fatalf("lines %q", lines)
	}
	var got struct {
		Level, Msg, By string
		G              struct{ N int }
	}
	if err := json.Unmarshal([]byte(lines[1]), &got); err != nil || got.Level != "DEBUG" || got.Msg != "two" || got.By != "test" || got.G.N != 2 {
		t.Errorf("%q is %+v, %v", lines[1], got, err)
	}
	if c := j.Counts(); c.Lines != 2 || c.Dropped+c.Held+c.Unwritten > 0 {
		t.Errorf("counts %+v", c)
	}
}

// hostile is text that would begin lines and fields of its own, or speak to a terminal.
const hostile = "a\nMESSAGE=forged\nPRIORITY=0\n\x1b[2J\x00\u202e b=\"c\""

// No text makes a line, a field or a control character of its own, in any format.
func TestValuesAreEscaped(t *testing.T) {
	for _, format := range []string{Text, JSON, Journald} {
		out := new(shardtest.Buffer)
		j := New(out, filepath.Join(t.TempDir(), "nobody"), false, Options{Format: format})
		j.Logger().Info(hostile, "zone", hostile, "error", errors.New(hostile))
		j.Flush()
		if got := out.String(); strings.Count(got, "\n") != 1 || strings.ContainsAny(strings.TrimSuffix(got, "\n"), "\n\x1b\x00\u202e") && format != JSON {
			t.Errorf("%s: %q", format, got)
		}
	}
}

// A line that is too long is cut, and is still one of its format.
func TestLongLines(t *testing.T) {
	for _, format := range []string{Text, JSON, Journald} {
		out := new(shardtest.Buffer)
		j := New(out, filepath.Join(t.TempDir(), "nobody"), false, Options{Format: format})
		j.Logger().Info("long", "value", strings.Repeat("ä", maxLine))
		j.Flush()
		got := out.String()
		if len(got) > maxLine+8 || strings.Count(got, "\n") != 1 || format == JSON && !json.Valid([]byte(got)) {
			t.Errorf("%s: %d octets: %.100q", format, len(got), got)
		}
	}
}

// stuck is a reader that reads nothing until it is let go.
type stuck struct{ free chan struct{} }

func (s stuck) Write(p []byte) (int, error) {
	<-s.free
	return len(p), nil
}

// Whoever logs waits for no reader. What finds no room is counted, memory is bounded, and the log says so afterwards.
func TestStuckReader(t *testing.T) {
	s := stuck{make(chan struct{})}
	out := new(shardtest.Buffer)
	j := New(io.MultiWriter(s, out), "", false, Options{})
	log := j.Logger()
	const lines = 3 * maxQueued
	long := strings.Repeat("x", 500)
	for range lines {
		log.Info("a line", "long", long)
	}
	c := j.Counts()
	if c.Dropped == 0 || c.Lines+c.Dropped != lines || j.queued.Load() > maxQueuedBytes {
		t.Fatalf("counts %+v, %d bytes are queued", c, j.queued.Load())
	}
	close(s.free)
	want := fmt.Sprintf("lines of the log were dropped: whoever reads it was slow\" lines=%d", c.Dropped)
	shardtest.Until(t, "the log to tell of "+want, func() bool { return strings.Contains(out.String(), want) })
	if j.queued.Load() != 0 {
		t.Errorf("%d bytes are queued at the end", j.queued.Load())
	}
}

// failing is a reader that has gone.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestGoneReader(t *testing.T) {
	j := New(failing{}, "", false, Options{})
	j.Logger().Info("a line")
	j.Flush()
	if c := j.Counts(); c.Unwritten != 1 {
		t.Errorf("counts %+v", c)
	}
}

// Of lines of one kind some are written and the rest is told of in one line; others, and what operators do, are not touched.
func TestFloods(t *testing.T) {
	var f floods
	now := time.Unix(1_700_000_000, 0)
	passed := 0
	for i := range 1234 + 10 {
		if f.pass(now, slog.LevelWarn, fmt.Sprintf("client %d is late", i), 10) {
			passed++
		}
	}
	if passed != 10 || !f.pass(now, slog.LevelInfo, "client 1 is late", 10) || !f.pass(now, slog.LevelWarn, "another", 10) {
		t.Errorf("%d lines passed", passed)
	}
	if early := f.over(now.Add(floodTime - 1)); early != nil {
		t.Errorf("too early: %v", early)
	}
	lines := f.over(now.Add(floodTime))
	if len(lines) != 1 || lines[0].Message != "client 1243 is late: … and 1,234 more like it in 10 s" || lines[0].Level != slog.LevelWarn {
		t.Errorf("lines %v", lines)
	}
	if f.total.Load() != 1234 || len(f.kinds) != 0 {
		t.Errorf("%d held back, %d kinds", f.total.Load(), len(f.kinds))
	}
	for i := range 10 * maxKinds {
		f.pass(now, slog.LevelWarn, strings.Repeat("x", i), 1)
	}
	if len(f.kinds) > maxKinds+1 {
		t.Errorf("%d kinds are told apart", len(f.kinds))
	}
	out := new(shardtest.Buffer)
	j := New(out, "", false, Options{Burst: 1})
	for range 3 {
		j.Logger().Info("by itself")
		Whole(j.Logger()).With("by", "somebody").Info("a deed")
	}
	j.Flush()
	if got := out.String(); strings.Count(got, "by itself") != 1 || strings.Count(got, "a deed") != 3 {
		t.Errorf("the log has\n%s", got)
	}
}

// What was held back is told of when its time is over, though nothing else is logged.
func TestFloodIsToldOf(t *testing.T) {
	out := new(shardtest.Buffer)
	var later atomic.Int64
	j := newJournal(out, "", false, Options{Burst: 2}, func() time.Time { return time.Unix(1_700_000_000+later.Load(), 0) })
	for i := range 9 {
		j.Logger().Warn(fmt.Sprintf("attempt %d", i), "n", i)
	}
	if n := j.Counts().Held; n != 7 {
		t.Errorf("%d lines were held back", n)
	}
	later.Store(12)
	shardtest.Until(t, "the rest to be told of", func() bool {
		return strings.Contains(out.String(), `level=WARN msg="attempt 8: … and 7 more like it in 12 s" more=7`)
	})
}

// parseNative reads an entry of journald's protocol that has no value with a line feed.
func parseNative(t testing.TB, entry []byte) (fields []field) {
	t.Helper()
	for line := range bytes.Lines(entry) {
		name, value, ok := strings.Cut(strings.TrimSuffix(string(line), "\n"), "=")
		if !ok || name == "" || len(name) > 64 || name[0] == '_' || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
			t.Fatalf("%q is no field", line)
		}
		fields = append(fields, field{name, value})
	}
	return fields
}

// Journald gets entries with a field for each value. While it is not there, or when it has gone, the line goes to the other
// reader with its priority; and a new journald is found.
func TestJournald(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "socket")
	out := new(shardtest.Buffer)
	j := New(out, socket, true, Options{Format: Auto})
	log := j.Logger().With("by", "test")
	log.Error("nobody listens")
	j.Flush()
	if got := out.String(); got != "<3>nobody listens by=test\n" {
		t.Errorf("without journald: %q", got)
	}
	for round := range 2 {
		l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		log.Warn("a zone was not loaded", "zone", hostile, "_serial.of-it", 7, slog.Group("g", "n", 1))
		var b [65536]byte
		l.SetReadDeadline(time.Now().Add(shardtest.Patience))
		n, err := l.Read(b[:])
		l.Close()
		os.Remove(socket)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		got := map[string]string{}
		for _, f := range parseNative(t, b[:n]) {
			got[f.name] += f.value
		}
		if got["PRIORITY"] != "4" || got["SYSLOG_IDENTIFIER"] != "heimdalld" || !strings.HasPrefix(got["MESSAGE"], "a zone was not loaded by=test zone=") ||
			got["HEIMDALL_BY"] != "test" || got["HEIMDALL_ZONE"] != plain(hostile) || got["HEIMDALL__SERIAL_OF_IT"] != "7" || got["HEIMDALL_G_N"] != "1" || len(got) != 7 {
			t.Errorf("round %d: %q", round, got)
		}
	}
}

// FuzzNative asserts that whatever a message and a value are, an entry has the fields that it was made with and no others.
func FuzzNative(f *testing.F) {
	f.Add("message", "key", "value")
	f.Add(hostile, hostile, hostile)
	f.Add("", "=", "\xff")
	f.Fuzz(func(t *testing.T, message, key, value string) {
		fields := appendField(nil, "", slog.String(key, value))
		got := parseNative(t, appendNative(nil, slog.LevelInfo, cut(plain(message), maxLine), fields))
		want := 3
		if key != "" {
			want = 4
		}
		if len(got) != want {
			t.Fatalf("%d fields of %q", len(got), got)
		}
	})
}
