package zones

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"heimdall/shard/diskfile"
)

// files opens the files that a zone is read from, once, and notes what each of them was. $INCLUDE reaches what lies
// below the folder of the zone's own file, or below another one that the configuration names, symbolic links included.
type files struct {
	of    Zone
	roots []includeRoot
	stamp stamp
}

// includeRoot is a folder below which $INCLUDE may read.
type includeRoot struct {
	root *os.Root
	// The folder as the configuration names it, and without symbolic links: an absolute name may begin with either.
	named, real string
}

// openFiles opens the folders of a zone, for close to close.
func openFiles(z Zone) (*files, error) {
	f := &files{of: z, stamp: stamp{}}
	if err := f.add(filepath.Dir(z.File)); err != nil {
		return nil, z.at("file", fmt.Errorf("open zone %s: %w", z.Name, err))
	}
	if z.IncludeFolder != "" {
		if err := f.add(z.IncludeFolder); err != nil {
			f.close()
			return nil, z.at("include_folder", fmt.Errorf("open the folder for what zone %s includes: %w", z.Name, err))
		}
	}
	return f, nil
}

func (f *files) add(folder string) error {
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

func (f *files) close() {
	for _, r := range f.roots {
		r.root.Close()
	}
}

// open opens the zone's own file.
func (f *files) open(ctx context.Context) (*text, error) {
	file, err := os.OpenFile(f.of.File, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return f.take(ctx, f.of.File, file)
}

// include opens a file that $INCLUDE names. A relative name starts at the folder of the zone's own file.
func (f *files) include(ctx context.Context, name string) (io.ReadCloser, error) {
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
func (f *files) take(ctx context.Context, path string, file *os.File) (*text, error) {
	info, err := diskfile.Regular(file, path)
	if err != nil {
		file.Close()
		return nil, err
	}
	f.stamp[path] = stampOf(info)
	return &text{ctx: ctx, file: file, size: info.Size(), path: path}, nil
}
