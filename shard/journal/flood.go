package journal

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// floodTime is the time within which lines of one kind are limited.
const floodTime = 10 * time.Second

// maxKinds bounds the kinds of lines that are told apart within floodTime; all others are of one kind.
const maxKinds = 256

// floods limits lines of one kind: those with the same level and message, whatever their numbers are. The zero value is
// ready. Safe for concurrent use.
type floods struct {
	total atomic.Uint64 // lines that were held back

	mu    sync.Mutex // held for a look at the map
	kinds map[string]*kind
}

// kind is what one kind of line has had since its first one.
type kind struct {
	began   time.Time
	level   slog.Level
	message string // of the last line
	written int
	held    uint64
}

// pass tells whether a line may be written when burst of its kind may be.
func (f *floods) pass(now time.Time, level slog.Level, message string, burst int) bool {
	if burst <= 0 {
		return true
	}
	name := strconv.Itoa(int(level)) + " " + strings.Map(noDigits, message)
	f.mu.Lock()
	defer f.mu.Unlock()
	k := f.kinds[name]
	if k == nil {
		if len(f.kinds) >= maxKinds {
			name = "" // no message is empty, with its level
			k = f.kinds[name]
		}
		if k == nil {
			k = &kind{began: now, level: level}
			if f.kinds == nil {
				f.kinds = map[string]*kind{}
			}
			f.kinds[name] = k
		}
	}
	k.message = message
	if name == "" {
		k.message = "lines of many kinds"
	}
	if k.written < burst {
		k.written++
		return true
	}
	k.held++
	f.total.Add(1)
	return false
}

// over forgets the kinds whose time is over, and returns a line about each of which some were held back.
func (f *floods) over(now time.Time) (lines []slog.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, k := range f.kinds {
		since := now.Sub(k.began)
		if since < floodTime {
			continue
		}
		delete(f.kinds, name)
		if k.held > 0 {
			r := slog.NewRecord(now, k.level, fmt.Sprintf("%s: … and %s more like it in %d s", k.message, thousands(k.held), int(since.Seconds())), 0)
			r.Add("more", k.held)
			lines = append(lines, r)
		}
	}
	return lines
}

// noDigits leaves digits out.
func noDigits(r rune) rune {
	if '0' <= r && r <= '9' {
		return -1
	}
	return r
}

// thousands writes a number with commas.
func thousands(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
