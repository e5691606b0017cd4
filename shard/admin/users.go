package admin

import (
	"strconv"
	"strings"

	"heimdall/shard/diskfile"
)

// users are the names of this machine's users, by their numbers.
type users map[uint32]string

// maxUsers bounds the file of users in bytes.
const maxUsers = 1 << 20

// readUsers reads passwd(5) at the start: the sandbox does not let the daemon read it afterwards. Users that it does not
// have are known by their numbers alone.
func readUsers(path string) users {
	text, err := diskfile.Read(path, maxUsers)
	if err != nil {
		return nil
	}
	return parseUsers(string(text))
}

// parseUsers reads lines such as "root:x:0:0:root:/root:/bin/sh". Of two names for a number the first counts, as for the
// system.
func parseUsers(text string) users {
	list := users{}
	for line := range strings.Lines(text) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(fields) < 3 || fields[0] == "" {
			continue
		}
		id, err := strconv.ParseUint(fields[2], 10, 32)
		if _, known := list[uint32(id)]; err == nil && !known {
			list[uint32(id)] = fields[0]
		}
	}
	return list
}
