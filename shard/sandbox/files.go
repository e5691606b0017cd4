package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// What Landlock permits with files (landlock(7)). Nobody may start a program, make a device or a link.
const (
	readFile   = landlock.AccessFSSet(ll.AccessFSReadFile)
	readFolder = readFile | landlock.AccessFSSet(ll.AccessFSReadDir)
	writeThere = readFolder | landlock.AccessFSSet(ll.AccessFSWriteFile|ll.AccessFSTruncate|ll.AccessFSMakeReg|
		ll.AccessFSMakeSock|ll.AccessFSRemoveFile)
)

// system is what the daemon reads of the kernel: its own state, CPUs, nodes, interfaces and interrupts; and the time zone,
// which the first line of the log asks for.
var system = []string{"/proc", "/sys", "/etc/localtime", "/usr/share/zoneinfo"}

var errNoLandlock = errors.New("this kernel has no Landlock (it takes CONFIG_SECURITY_LANDLOCK, and landlock in lsm=)")

func hasLandlock() bool {
	version, err := ll.LandlockGetABIVersion()
	return err == nil && version > 0
}

// restrictFiles has Landlock deny all files but those of o, from which it takes what is not there.
func restrictFiles(o *Options) error {
	if !hasLandlock() {
		return errNoLandlock
	}
	var rules []landlock.Rule
	// permit returns those that are there: the kernel permits no others.
	permit := func(paths []string, folder, file landlock.AccessFSSet) (there []string) {
		for _, path := range paths {
			info, err := os.Stat(path)
			if err != nil {
				continue
			}
			may := file
			if info.IsDir() {
				may = folder
			}
			rules, there = append(rules, landlock.PathAccess(may, path)), append(there, path)
		}
		return there
	}
	permit(system, readFolder, readFile)
	o.Read = permit(o.Read, readFolder, readFile)
	o.Write = permit(o.Write, writeThere, readFile|landlock.AccessFSSet(ll.AccessFSWriteFile|ll.AccessFSTruncate))
	// Version 9 would deny connections to sockets in the file system, such as those of systemd.
	return landlock.V8.BestEffort().RestrictPaths(rules...)
}

// Outside returns the paths that other options permit and the sandbox does not: a reload cannot use them.
func (r Report) Outside(o Options) (paths []string) {
	if r.rules == nil {
		return nil
	}
	for _, path := range o.Read {
		if !below(path, slices.Concat(system, r.rules.Read, r.rules.Write)) {
			paths = append(paths, path)
		}
	}
	for _, path := range o.Write {
		if !below(path, r.rules.Write) {
			paths = append(paths, path)
		}
	}
	return paths
}

// Writes tells whether a path lies in a folder in which files may be made, written and replaced.
func (o Options) Writes(path string) bool { return below(path, o.Write) }

// below tells whether a path is one of the folders, or in one. A relative path means what it means to the process.
func below(path string, folders []string) bool {
	full := real(path)
	return slices.ContainsFunc(folders, func(folder string) bool {
		rest, err := filepath.Rel(real(folder), full)
		return err == nil && rest != ".." && !strings.HasPrefix(rest, "../")
	})
}

// real returns the path without symbolic links, as far as it exists.
func real(path string) string {
	full, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if to, err := filepath.EvalSymlinks(full); err == nil {
		return to
	}
	return full
}
