// Package journal is the log of the daemon: lines as text, as JSON, or as entries of systemd's journal. Who logs waits for
// nobody: lines go through a bounded queue to a goroutine that writes them, and what finds no room there is counted.
package journal

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"strconv"
	"sync/atomic"
	"time"
)

// Options say what is logged, and how. A reload may change all of them.
type Options struct {
	Level  slog.Level // the least severe one that is logged
	Format string     // "auto", "text", "json" or "journald"
	Burst  int        // lines of one kind that are written within floodTime; 0: all
}

// Formats of lines. Auto is JournalD where standard error is a stream of the journal, else Text.
const (
	Auto     = "auto"
	Text     = "text"
	JSON     = "json"
	Journald = "journald"
)

// Bounds of the queue. A line takes some 200 bytes; what has to wait is little unless its reader is stuck.
const (
	maxQueued      = 4096    // lines
	maxQueuedBytes = 1 << 20 // of all of them together
)

// slowReader is how long Flush waits for a reader, and the writer for journald.
const slowReader = 2 * time.Second

// Socket is where systemd's journal takes entries (systemd.io/JOURNAL_NATIVE_PROTOCOL).
const Socket = "/run/systemd/journal/socket"

// Journal is one log. Its methods are safe for concurrent use; those of a nil one do nothing.
type Journal struct {
	out    io.Writer
	socket string // of journald
	stream bool   // out is a stream of the journal
	now    func() time.Time

	options atomic.Pointer[Options]
	fixed   atomic.Pointer[slog.Level] // nil: Options.Level counts
	floods  floods

	queue  chan entry
	queued atomic.Int64  // bytes
	conn   *net.UnixConn // to journald; the writer's. nil: not connected

	lines, dropped, unwritten atomic.Uint64
}

// entry is a line on its way. With flushed it is none: whoever made it learns that all before it are written.
type entry struct {
	native  []byte // as a datagram for journald; nil: there is none
	text    []byte // for out, which also gets it when journald cannot be reached
	flushed chan struct{}
}

// New makes a log that writes to out, and to journald by a socket if that is wanted. stream tells that out is a stream of
// the journal. It lasts as long as the process.
func New(out io.Writer, socket string, stream bool, o Options) *Journal {
	return newJournal(out, socket, stream, o, time.Now)
}

func newJournal(out io.Writer, socket string, stream bool, o Options, now func() time.Time) *Journal {
	j := &Journal{
		out: out, socket: socket, stream: stream, now: now,
		queue: make(chan entry, maxQueued),
	}
	j.options.Store(&o)
	go j.write()
	return j
}

// Configure changes what is logged, and how, from the next line on.
func (j *Journal) Configure(o Options) {
	if j != nil {
		j.options.Store(&o)
	}
}

// FixLevel makes a level count whatever Configure says.
func (j *Journal) FixLevel(l slog.Level) { j.fixed.Store(&l) }

// least is the least severe level that is logged.
func (j *Journal) least() slog.Level {
	if l := j.fixed.Load(); l != nil {
		return *l
	}
	return j.options.Load().Level
}

// Logger returns a logger that writes to j.
func (j *Journal) Logger() *slog.Logger { return slog.New(&handler{j: j}) }

// Counts are the lines of a log since it was made.
type Counts struct {
	Lines     uint64 // that were written, or wait for it
	Held      uint64 // that were left out as others of their kind had been written just before
	Dropped   uint64 // that found no room in the queue: their reader is slow or stuck
	Unwritten uint64 // that the reader did not take
}

// Counts returns how many lines there were.
func (j *Journal) Counts() Counts {
	if j == nil {
		return Counts{}
	}
	return Counts{j.lines.Load(), j.floods.total.Load(), j.dropped.Load(), j.unwritten.Load()}
}

// Format tells how lines are written at present: Text, JSON or Journald.
func (j *Journal) Format() string {
	if j == nil {
		return Text
	}
	switch o := j.options.Load(); {
	case o.Format != Auto && o.Format != "":
		return o.Format
	case j.stream:
		return Journald
	}
	return Text
}

// add hands a line to the writer, or counts that it found no room.
func (j *Journal) add(e entry) {
	size := int64(len(e.native) + len(e.text))
	if j.queued.Add(size) <= maxQueuedBytes {
		select {
		case j.queue <- e:
			j.lines.Add(1)
			return
		default:
		}
	}
	j.queued.Add(-size)
	j.dropped.Add(1)
}

// write writes the lines of the queue.
func (j *Journal) write() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	told := uint64(0) // of j.dropped
	for {
		select {
		case e := <-j.queue:
			j.put(e)
		case <-tick.C:
			for _, r := range j.floods.over(j.now()) {
				j.put(j.entryOf(r))
			}
		}
		if n := j.dropped.Load(); n != told && len(j.queue) == 0 {
			r := slog.NewRecord(j.now(), slog.LevelWarn, "lines of the log were dropped: whoever reads it was slow", 0)
			r.Add("lines", n-told)
			j.put(j.entryOf(r))
			told = n
		}
	}
}

// entryOf makes an entry that the writer itself puts.
func (j *Journal) entryOf(r slog.Record) entry {
	e := (&handler{j: j}).render(context.Background(), r)
	j.queued.Add(int64(len(e.native) + len(e.text)))
	j.lines.Add(1)
	return e
}

// put writes one line.
func (j *Journal) put(e entry) {
	if e.flushed != nil {
		close(e.flushed)
		return
	}
	j.queued.Add(-int64(len(e.native) + len(e.text)))
	if e.native != nil && j.send(e.native) {
		return
	}
	if _, err := j.out.Write(e.text); err != nil {
		j.unwritten.Add(1)
	}
}

// send hands an entry to journald; false: it did not take it.
func (j *Journal) send(native []byte) bool {
	for range 2 { // once more with a new socket, as that of a journald that has ended is of no use
		if j.conn == nil {
			c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: j.socket, Net: "unixgram"})
			if err != nil {
				return false
			}
			j.conn = c
		}
		j.conn.SetWriteDeadline(time.Now().Add(slowReader))
		if _, err := j.conn.Write(native); err == nil {
			return true
		}
		j.conn.Close()
		j.conn = nil
	}
	return false
}

// Flush waits until what was logged before is written, but not for a reader that is stuck.
func (j *Journal) Flush() {
	if j == nil {
		return
	}
	limit := time.NewTimer(slowReader)
	defer limit.Stop()
	e := entry{flushed: make(chan struct{})}
	select {
	case j.queue <- e:
	case <-limit.C:
		return
	}
	select {
	case <-e.flushed:
	case <-limit.C:
	}
}

// priority is a level as syslog(3) has it.
func priority(l slog.Level) int {
	switch {
	case l < slog.LevelInfo:
		return 7
	case l < slog.LevelWarn:
		return 6
	case l < slog.LevelError:
		return 4
	}
	return 3
}

// prefixed is a text line as a stream of the journal has it: with its priority before it (sd-daemon(3)).
func prefixed(l slog.Level, text []byte) []byte {
	var b bytes.Buffer
	b.WriteString("<" + strconv.Itoa(priority(l)) + ">")
	b.Write(text)
	return b.Bytes()
}
