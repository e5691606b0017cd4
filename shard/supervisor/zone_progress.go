package supervisor

import (
	"fmt"
	"os"
)

// progress is how far the load of a zone is.
type progress struct {
	records int // read
	percent int // of the zone's own file, without those that it includes; -1: unknown
}

const (
	// progressEvery is after how many records a load tells how far it is, and looks whether it should end: a
	// few milliseconds.
	progressEvery = 4096
	// logEvery is after how many records the log is told; a multiple of progressEvery. Small zones are not.
	logEvery = progressEvery * 256
)

func (p progress) String() string {
	if p.percent < 0 || p.records == 0 {
		return fmt.Sprintf("%d records", p.records)
	}
	return fmt.Sprintf("%d %%, %d records", p.percent, p.records)
}

// counted is a file that is read once, and how far.
type counted struct {
	file *os.File
	read int64 // bytes
	size int64 // bytes; 0: unknown
}

func newCounted(f *os.File) *counted {
	c := &counted{file: f}
	if info, err := f.Stat(); err == nil {
		c.size = info.Size()
	}
	return c
}

// Read implements io.Reader.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.file.Read(p)
	c.read += int64(n)
	return n, err
}

// percent returns what part of the file has been read, -1 if its size is not known.
func (c *counted) percent() int {
	if c.size == 0 {
		return -1
	}
	return int(min(c.read*100/c.size, 100)) // a file may grow
}
