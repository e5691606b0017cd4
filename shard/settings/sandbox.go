package settings

import (
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"heimdall/core/config"
	"heimdall/shard/sandbox"
)

// Sandbox is what the process needs once it serves: the folders of its files, for editors put new files in the place of old
// ones, and the capabilities that shards take which a reload starts.
func Sandbox(c *config.Config, path string) sandbox.Options {
	o := sandbox.Options{Capabilities: []int{
		unix.CAP_NET_BIND_SERVICE, // port 53
		unix.CAP_NET_ADMIN,        // receive buffers above the limit; programs on interfaces
		unix.CAP_BPF,              // the programs and their tables
		unix.CAP_PERFMON,          // pointers in programs
	}}
	if c.XDP.Mode != "off" {
		o.Capabilities = append(o.Capabilities, unix.CAP_NET_RAW, unix.CAP_IPC_LOCK) // AF_XDP sockets and their memory
	}
	if os.Geteuid() == 0 { // root's files may be other users'
		o.Capabilities = append(o.Capabilities, unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH)
	}
	for _, folder := range c.Security.Folders {
		o.Read = append(o.Read, string(folder))
	}
	o.Read = append(o.Read, c.Folders()...)
	read := append([]string{path}, c.Files()...)
	read = append(read, c.Recursion.RootHints, c.Recursion.TrustAnchors)
	for _, z := range c.Zone {
		read = append(read, z.File)
		if z.IncludeFolder != "" {
			o.Read = append(o.Read, z.IncludeFolder)
		}
	}
	o.Read = append(o.Read, folders(read)...)
	written := []string{c.QueryLog.File, c.Recursion.TrustAnchorState, c.Cache.File, c.Admin.Socket}
	if network, file := c.Dnstap.Target(); network == "file" {
		written = append(written, file)
	}
	o.Write = folders(written)
	// What systemd made for the service, files that a reload is to name among it (systemd.exec(5)).
	for _, made := range []string{"RUNTIME_DIRECTORY", "STATE_DIRECTORY", "CACHE_DIRECTORY", "LOGS_DIRECTORY"} {
		o.Write = append(o.Write, filepath.SplitList(os.Getenv(made))...)
	}
	return o
}

// folders returns the folders of files. A file in the root folder stands for itself: its folder is everything.
func folders(files []string) (list []string) {
	for _, file := range files {
		if file == "" {
			continue
		}
		folder := filepath.Dir(file)
		if folder == "/" {
			folder = file
		}
		if !slices.Contains(list, folder) {
			list = append(list, folder)
		}
	}
	return list
}
