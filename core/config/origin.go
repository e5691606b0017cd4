package config

import (
	"fmt"
	"path"
	"strconv"
	"strings"
)

// origin tells where the keys of a configuration stand: in a file and those that it includes. The zero value is a
// configuration without a file.
type origin struct {
	parts   []part   // in the order in which they were read
	folders []string // in which files to include are looked for
}

// part is one of the files.
type part struct {
	source
	first map[string]int // tables of each array in the parts before
}

// place returns the file and the line of a path; those of the nearest table around it when the path itself is in no file;
// the first file and line 0 for none. rank is the number of the file.
func (o *origin) place(at string) (file string, line, rank int) {
	for at != "" {
		for rank := range o.parts {
			p := &o.parts[rank]
			if line, ok := p.lines[p.local(at)]; ok {
				return p.name, line, rank
			}
		}
		at = around(at)
	}
	if len(o.parts) == 0 {
		return "", 0, 0
	}
	return o.parts[0].name, 0, 0
}

// around is the path of what is around a path; empty: nothing.
func around(at string) string { return at[:max(strings.LastIndexAny(at, ".["), 0)] }

// local is a path as it is within a part alone, where the tables of an array are counted from 0; empty: it is of another
// part.
func (p *part) local(at string) string {
	name, rest, ok := strings.Cut(at, "[")
	before := p.first[name]
	if !ok || before == 0 {
		return at
	}
	number, rest, _ := strings.Cut(rest, "]")
	n, err := strconv.Atoi(number)
	if err != nil || n < before {
		return ""
	}
	return name + "[" + strconv.Itoa(n-before) + "]" + rest
}

// Files lists the files that the configuration was read from, in that order: its own, and those that it includes.
func (c *Config) Files() (names []string) {
	for i := range c.source.parts {
		names = append(names, c.source.parts[i].name)
	}
	return names
}

// Folders lists the folders in which files to include were looked for by patterns: a reload looks there again. What is included
// by its name is among Files.
func (c *Config) Folders() []string { return c.source.folders }

// Place tells where the key at a path stands, as "config.toml:12"; empty: in no file, so that it has its default.
func (c *Config) Place(at string) string {
	for i := range c.source.parts {
		if p := &c.source.parts[i]; p.lines[p.local(at)] > 0 {
			return fmt.Sprintf("%s:%d", p.name, p.lines[p.local(at)])
		}
	}
	return ""
}

// folderOf is the folder of the file that a path stands in; that of the first file if it is in none.
func (o *origin) folderOf(at string) string {
	for i := range o.parts {
		if p := &o.parts[i]; p.lines[p.local(at)] > 0 {
			return path.Dir(p.name)
		}
	}
	if len(o.parts) == 0 {
		return ""
	}
	return path.Dir(o.parts[0].name)
}
