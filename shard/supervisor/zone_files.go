package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"heimdall/shard/diskfile"
)

// zoneFiles opens the files that a zone is read from, once, and notes what each of them was. $INCLUDE reaches what lies
// below the folder of the zone's own file, or below another one that the configuration names, symbolic links included.
type zoneFiles struct {
	path  string
	roots []includeRoot
	stamp zoneStamp
}

// includeRoot is a folder below which $INCLUDE may read.
type includeRoot struct {
	root *os.Root
	// The folder as the configuration names it, and without symbolic links: an absolute name may begin with either.
	named, real string
}

// zoneStamp is what the files of a zone were when they were read, by their paths.
type zoneStamp map[string]fileStamp

// fileStamp tells one version of a file from another.
type fileStamp struct {
	info    os.FileInfo
	changed time.Time // its inode: also what keeps its size and claims to be as old as before
}

// newZoneFiles opens the folders of a zone, for close to close.
func newZoneFiles(c zoneConfig) (*zoneFiles, error) {
	f := &zoneFiles{path: c.File, stamp: zoneStamp{}}
	if err := f.add(filepath.Dir(c.File)); err != nil {
		return nil, c.problem(fmt.Errorf("open zone %s: %w", c.Name, err))
	}
	if c.IncludeFolder != "" {
		if err := f.add(c.IncludeFolder); err != nil {
			f.close()
			return nil, c.folderProblem(fmt.Errorf("open the folder for what zone %s includes: %w", c.Name, err))
		}
	}
	return f, nil
}

func (f *zoneFiles) add(folder string) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	real, err := filepath.EvalSymlinks(folder)
	if err != nil {
		real = folder
	}
	f.roots = append(f.roots, includeRoot{root, filepath.Clean(folder), real})
	return nil
}

func (f *zoneFiles) close() {
	for _, r := range f.roots {
		r.root.Close()
	}
}

// open opens the zone's own file.
func (f *zoneFiles) open(ctx context.Context) (*zoneText, error) {
	file, err := os.OpenFile(f.path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return f.take(ctx, f.path, file)
}

// include opens a file that $INCLUDE names. A relative name starts at the folder of the zone's own file.
func (f *zoneFiles) include(ctx context.Context, name string) (io.ReadCloser, error) {
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(f.roots[0].named, path)
	}
	what := "lies elsewhere"
	for _, r := range f.roots {
		inside, ok := r.below(path)
		if !ok {
			continue
		}
		file, err := r.root.OpenFile(inside, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			return f.take(ctx, path, file)
		}
		if !strings.Contains(err.Error(), "escapes") { // package os has no error to compare with
			return nil, err
		}
		what = "leads elsewhere by a symbolic link"
	}
	var folders []string
	for _, r := range f.roots {
		folders = append(folders, r.named)
	}
	return nil, fmt.Errorf("%s %s: files that are included have to lie below %s; move it there, or let include_folder of the [[zone]] name a folder above it",
		path, what, strings.Join(folders, " or "))
}

// below returns how path is called from a folder on, if it lies below.
func (r *includeRoot) below(path string) (string, bool) {
	for _, folder := range []string{r.named, r.real} {
		if name, err := filepath.Rel(folder, filepath.Clean(path)); err == nil && filepath.IsLocal(name) {
			return name, true
		}
	}
	return "", false
}

// take makes a text of an open file, if it is one that comes to an end, and notes what it is.
func (f *zoneFiles) take(ctx context.Context, path string, file *os.File) (*zoneText, error) {
	info, err := diskfile.Regular(file, path)
	if err != nil {
		file.Close()
		return nil, err
	}
	f.stamp[path] = stampOf(info)
	return &zoneText{ctx: ctx, file: file, size: info.Size(), path: path}, nil
}

// stale tells whether one of the files is no longer what it was.
func (s zoneStamp) stale() bool {
	for path, was := range s {
		info, err := os.Stat(path)
		if err != nil || !stampOf(info).same(was) {
			return true
		}
	}
	return len(s) == 0
}

func stampOf(info os.FileInfo) fileStamp {
	s := fileStamp{info: info}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		s.changed = time.Unix(sys.Ctim.Unix())
	}
	return s
}

func (s fileStamp) same(o fileStamp) bool {
	return os.SameFile(s.info, o.info) && s.info.Size() == o.info.Size() && s.info.ModTime().Equal(o.info.ModTime()) && s.changed.Equal(o.changed)
}

// zoneText is a file of a zone that is read once, from its start to where it ended when it was opened.
type zoneText struct {
	ctx  context.Context
	file *os.File
	path string
	read int64 // bytes
	size int64 // bytes
}

// errGrew ends the reading of a file that somebody writes to: what has come of it may be half of a record.
var errGrew = errors.New("has grown while it was read; reload when it is complete")

// Read implements io.Reader.
func (t *zoneText) Read(p []byte) (int, error) {
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
func (t *zoneText) Close() error { return t.file.Close() }

// percent returns what part of the file has been read, -1 if it is empty.
func (t *zoneText) percent() int {
	if t.size == 0 {
		return -1
	}
	return int(t.read * 100 / t.size)
}
