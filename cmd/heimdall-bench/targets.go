package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// target is a server to measure.
type target struct {
	name string
	addr netip.AddrPort
	pids []int // its processes, as given; their descendants count as well
}

// fillTargets reads the flags -server and -pid.
func (o *options) fillTargets(servers, pids []string) error {
	if len(servers) == 0 {
		return errors.New("-server is missing")
	}
	byName := map[string]*target{}
	for _, text := range servers {
		name, addr, named := strings.Cut(text, "=")
		if !named {
			name, addr = text, text
		}
		at, err := netip.ParseAddrPort(addr)
		if err != nil {
			return fmt.Errorf("-server %q: want an address and a port, such as 127.0.0.1:1053 or [::1]:1053", text)
		}
		if name == "" || byName[name] != nil {
			return fmt.Errorf("-server %q: each needs a name of its own", text)
		}
		byName[name] = &target{name: name, addr: at}
		o.targets = append(o.targets, byName[name])
	}
	for _, text := range pids {
		name, number, _ := strings.Cut(text, "=")
		pid, err := strconv.Atoi(number)
		if err != nil || pid <= 0 {
			return fmt.Errorf("-pid %q: want NAME=PID", text)
		}
		if t := byName[name]; t != nil {
			t.pids = append(t.pids, pid)
		} else {
			o.helpers = append(o.helpers, pid)
		}
	}
	return nil
}

// processes returns all processes that are part of the experiment.
func (o *options) processes() []int {
	pids := append([]int{}, o.helpers...)
	for _, t := range o.targets {
		pids = append(pids, t.pids...)
	}
	return pids
}

// watchful tells that every server's processes are known, so that the others on
// this machine can be told apart.
func (o *options) watchful() bool {
	return !slices.ContainsFunc(o.targets, func(t *target) bool { return len(t.pids) == 0 })
}

// names opens the questions that the options name.
func (o *options) names() (names, error) {
	if o.file == "" {
		return newPattern(o.pattern, o.count, o.qtype, o.base)
	}
	f, err := os.Open(o.file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l, err := readList(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.file, err)
	}
	return l, nil
}
