package tap

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"heimdall/shard/diskfile"
)

// look is how often a file is compared with what is at its path: whoever rotates logs renames it.
const look = time.Second

// file writes what comes through a pipe to the end of a file. A disk that is full or slow costs items, not time.
type file struct {
	pipe   *pipe
	path   string
	shape  shape
	counts *counts
	log    *slog.Logger
	broken atomic.Bool // the last try to open it or to write has failed

	alone  <-chan struct{} // closed when no other process has the path any more
	f      *os.File        // nil: it is not open
	begun  bool            // it has its beginning
	failed time.Time
	reopen chan struct{}
	ending chan struct{}
	ended  chan struct{}
}

// newFile opens a file, or makes it. With an error it is tried again every look, and what comes until then is lost. One with
// a beginning, which puts aside what is there, is only looked at: run opens it, and that not before alone is closed.
func newFile(path string, s shape, c *counts, log *slog.Logger, alone <-chan struct{}) (*file, error) {
	w := &file{
		pipe: newPipe(), path: path, shape: s, counts: c, log: log, alone: alone,
		reopen: make(chan struct{}, 1), ending: make(chan struct{}), ended: make(chan struct{}),
	}
	var err error
	if s.begin != nil {
		err = w.check()
	} else {
		w.f, err = w.open()
	}
	w.broken.Store(err != nil)
	return w, err
}

// check tells why open would fail, and changes nothing.
func (w *file) check() error {
	if _, err := os.Lstat(w.path); err == nil && !w.inTheWay() {
		return CheckFile(w.path)
	}
	dir := filepath.Dir(w.path)
	if err := diskfile.Writable(dir); err != nil {
		return fmt.Errorf("make a file in %s: %w", dir, err)
	}
	return nil
}

// inTheWay tells whether a file is at the path that goes aside.
func (w *file) inTheWay() bool {
	info, err := os.Lstat(w.path)
	return w.shape.begin != nil && err == nil && info.Mode().IsRegular() && info.Size() > 0
}

// open opens what is at the path, a regular file, or makes one. A file with a beginning begins empty: what is there goes
// aside.
func (w *file) open() (*os.File, error) {
	if w.inTheWay() {
		if err := os.Rename(w.path, aside(w.path)); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(w.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NONBLOCK, 0o640)
	if err != nil {
		return nil, err
	}
	if _, err := diskfile.Regular(f, w.path); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// keptAside bounds how many files that have gone aside are kept, the newest: a daemon that starts again and again must not
// fill the disk.
const keptAside = 10

// aside returns a name for what has to go aside: one that is free, or that of the file which has gone aside first.
func aside(path string) string {
	oldest, since := path+".old", time.Time{}
	for i := range keptAside {
		name := path + ".old"
		if i > 0 {
			name += "." + strconv.Itoa(i)
		}
		info, err := os.Lstat(name)
		if err != nil { // It is free, or renaming tells what is wrong.
			return name
		}
		if info.Mode().IsRegular() && (since.IsZero() || info.ModTime().Before(since)) {
			oldest, since = name, info.ModTime()
		}
	}
	return oldest
}

// discard ends a file that has not run.
func (w *file) discard() {
	if w.f != nil {
		w.f.Close()
	}
}

// run writes until close.
func (w *file) run() {
	defer close(w.ended)
	if w.shape.begin != nil {
		if !w.isAlone() {
			w.items(w.pipe.take(nil)) // which counts them as lost
			return
		}
		w.follow()
	}
	tick := time.NewTicker(look)
	defer tick.Stop()
	var spare []byte
	for ending := false; !ending; {
		select {
		case <-w.pipe.more:
		case <-tick.C:
			w.follow()
			continue
		case <-w.reopen:
			w.follow()
			continue
		case <-w.ending:
			ending = true
		}
		spare = w.pipe.take(spare)
		w.items(spare)
	}
	w.leave()
}

// isAlone waits until no other process has the path; false: close is called before.
func (w *file) isAlone() bool {
	select {
	case <-w.alone:
		return true
	default:
	}
	select {
	case <-w.alone:
		return true
	case <-w.ending:
		return false
	}
}

// items writes whole items, and counts those that it cannot.
func (w *file) items(b []byte) {
	if len(b) == 0 {
		return
	}
	done, err := 0, w.begin()
	if err == nil {
		done, err = w.write(b, w.shape.whole)
	}
	all, written := w.shape.count(b), w.shape.count(b[:done])
	w.counts.written.Add(uint64(written))
	w.counts.failed.Add(uint64(all - written))
	w.tell(err)
}

// tell logs when writing begins to fail, and when it has worked again for a while: what is small finds room on a full disk.
func (w *file) tell(err error) {
	if err != nil {
		w.failed = time.Now()
		if !w.broken.Swap(true) {
			w.log.Error("the file cannot be written to: what belongs there is lost until it can", "file", w.path, "error", err)
		}
		return
	}
	if w.broken.Load() && time.Since(w.failed) > look {
		w.broken.Store(false)
		w.log.Info("the file can be written to again", "file", w.path, "lost", w.counts.failed.Load())
	}
}

// begin writes what a file starts with, if it has not.
func (w *file) begin() error {
	if w.f == nil {
		return errNotOpen
	}
	if w.begun {
		return nil
	}
	_, err := w.write(w.shape.begin, all)
	w.begun = err == nil
	return err
}

var errNotOpen = errors.New("it is not open")

// all is the whole of a shape's beginning and end: of a part nothing stays.
func all(b []byte, n int) int {
	if n < len(b) {
		return 0
	}
	return n
}

// write writes octets, and takes back those beyond what is whole of the part that was written.
func (w *file) write(b []byte, whole func(b []byte, n int) int) (done int, err error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, err := w.f.Write(b)
	if err == nil {
		return n, nil
	}
	done = whole(b, n)
	if cut := int64(n - done); cut > 0 {
		if info, e := w.f.Stat(); e == nil {
			err = errors.Join(err, w.f.Truncate(info.Size()-cut))
		}
	}
	return done, err
}

// leave ends the file.
func (w *file) leave() {
	if w.f == nil {
		return
	}
	if w.begin() == nil {
		w.write(w.shape.end, all)
	}
	w.f.Close()
	w.f, w.begun = nil, false
}

// follow opens the file anew if another one, or none, is at its path.
func (w *file) follow() {
	at, err := os.Lstat(w.path)
	if w.f != nil {
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return
		}
		if mine, e := w.f.Stat(); err == nil && e == nil && os.SameFile(at, mine) {
			return
		}
	}
	next, err := w.open()
	if err != nil {
		w.tell(err)
		return
	}
	w.leave()
	w.f = next
	if w.begin() == nil && w.broken.Load() {
		w.tell(nil)
	}
}

// offer implements output.
func (w *file) offer(item []byte) bool { return w.pipe.offer(item) }

// fails implements output.
func (w *file) fails() bool { return w.broken.Load() }

// refresh has it look for a new file now.
func (w *file) refresh() {
	select {
	case w.reopen <- struct{}{}:
	default:
	}
}

// close writes what is left. A disk that hangs is left behind.
func (w *file) close() {
	close(w.ending)
	select {
	case <-w.ended:
	case <-time.After(patience):
		w.log.Error("the file does not take what is left", "file", w.path)
	}
}

// CheckFile tells why a file cannot be written to, without making one.
func CheckFile(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, os.ErrNotExist) {
		return diskfile.Writable(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer f.Close()
	_, err = diskfile.Regular(f, path)
	return err
}
