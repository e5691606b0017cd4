package diskfile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Files reads files that have a number of bytes together at most, and finds files by patterns. Not safe for concurrent use.
type Files struct{ Left int64 }

// Read is Read within what is left.
func (f *Files) Read(name string) ([]byte, error) {
	text, err := Read(name, f.Left)
	f.Left -= int64(len(text))
	return text, err
}

// Glob lists the files that a pattern names, in order of their names: a file, or those of a folder that match its last
// part, with the wildcards of a shell. As there, these stand for no dot at the start of a name. A file that is not there,
// and a folder that cannot be read, are errors.
func (f *Files) Glob(pattern string) (names []string, err error) {
	folder, base := filepath.Split(pattern)
	if strings.ContainsAny(folder, "*?[") {
		return nil, fmt.Errorf("%s: only the last part of a pattern can have wildcards", pattern)
	}
	if !strings.ContainsAny(base, "*?[") {
		_, err := os.Stat(pattern)
		return []string{pattern}, err
	}
	list, err := os.ReadDir(filepath.Clean(folder))
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		ok, err := filepath.Match(base, e.Name())
		if err != nil {
			return nil, fmt.Errorf("%s is no pattern: a bracket is not closed, or a backslash ends it", pattern)
		}
		if ok && !e.IsDir() && (e.Name()[0] != '.' || base[0] == '.') {
			names = append(names, folder+e.Name())
		}
	}
	return names, nil
}
