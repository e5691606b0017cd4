package zones

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// text is a file of a zone that is read once, from its start to where it ended when it was opened.
type text struct {
	ctx  context.Context
	file *os.File
	path string
	read int64 // bytes
	size int64 // bytes
}

// errGrew ends the reading of a file that somebody writes to: what has come of it may be half of a record.
var errGrew = errors.New("has grown while it was read; reload when it is complete")

// Read implements io.Reader.
func (t *text) Read(p []byte) (int, error) {
	if err := t.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := t.file.Read(p)
	if t.read += int64(n); t.read > t.size {
		return 0, fmt.Errorf("%s %w", t.path, errGrew)
	}
	return n, err
}

// Close implements io.Closer.
func (t *text) Close() error { return t.file.Close() }

// percent returns what part of the file has been read, -1 if it is empty.
func (t *text) percent() int {
	if t.size == 0 {
		return -1
	}
	return int(t.read * 100 / t.size)
}
