package zones

import (
	"os"
	"syscall"
	"time"
)

// stamp is what the files of a zone were when they were read, by their paths.
type stamp map[string]fileStamp

// fileStamp tells one version of a file from another.
type fileStamp struct {
	info    os.FileInfo
	changed time.Time // its inode: also what keeps its size and claims to be as old as before
}

// stale tells whether one of the files is no longer what it was.
func (s stamp) stale() bool {
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
