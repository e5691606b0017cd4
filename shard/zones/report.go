package zones

import (
	"fmt"
	"sort"
	"strings"

	"heimdall/core/control"
	"heimdall/core/dname"
)

// Failures tells which zones are not what their files should be, one line each.
func (z *Store) Failures() (list []string) {
	for _, i := range z.List() {
		if i.State != control.ZoneFailed {
			continue
		}
		what := "its old version is served"
		if i.Loaded.IsZero() {
			what = "its names get SERVFAIL"
		}
		list = append(list, fmt.Sprintf("zone %s was not loaded, %s: %s", i.Name, what, strings.ReplaceAll(i.Problems[0], "\n", "; ")))
	}
	return list
}

// Stale lists the names of the zones that a reload reads again: their files have changed, or could not be loaded.
func (z *Store) Stale() (names []string) {
	z.mu.Lock()
	list := make([]served, 0, len(z.byName))
	for _, s := range z.byName {
		list = append(list, *s)
	}
	z.mu.Unlock()
	for i := range list {
		if list[i].changed() {
			names = append(names, list[i].zone.Name.String())
		}
	}
	sort.Strings(names)
	return names
}

// List tells operators about all zones, in order of their names.
func (z *Store) List() []control.ZoneInfo {
	z.mu.Lock()
	defer z.mu.Unlock()
	var infos []control.ZoneInfo
	for key, s := range z.byName {
		if c := z.coming[key]; c != nil && c.loading {
			s = c
		}
		infos = append(infos, s.info())
	}
	for key, c := range z.coming {
		if z.byName[key] == nil && c.loading {
			infos = append(infos, c.info())
		}
	}
	sortInfos(infos)
	return infos
}

// Standing lists the apexes of the zones that should be served: those that have a version, and those that have none.
func (z *Store) Standing() (with, without []dname.Name) {
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, s := range z.byName {
		if s.version != nil {
			with = append(with, s.zone.Name)
		} else {
			without = append(without, s.zone.Name)
		}
	}
	return with, without
}

// infos describes zones, in order of their names.
func (z *Store) infos(list []*served) (infos []control.ZoneInfo) {
	z.mu.Lock()
	defer z.mu.Unlock()
	for _, s := range list {
		infos = append(infos, s.info())
	}
	sortInfos(infos)
	return infos
}

// info describes a zone. Store.mu is held.
func (s *served) info() control.ZoneInfo {
	i := control.ZoneInfo{
		Name: s.zone.Name.String(), File: s.zone.File, Loaded: s.loaded, LoadSeconds: s.took.Seconds(), State: control.ZoneServing,
	}
	for _, note := range shortened(s.notes) {
		i.Problems = append(i.Problems, "warning: "+note)
	}
	if s.version != nil {
		first := s.version[0].zone
		i.Serial, i.Records, i.Names = first.Serial(), uint64(first.Records()), uint64(first.Names())
		i.MemoryBytes, i.Signed, i.ZONEMD = uint64(first.Memory()*len(s.version)), first.Signed(), first.Digest().String()
	}
	switch {
	case s.loading:
		i.State, i.Progress = control.ZoneLoading, s.so.String()
	case s.err != nil:
		i.State, i.Problems = control.ZoneFailed, append([]string{s.err.Error()}, i.Problems...)
	}
	return i
}

func sortInfos(infos []control.ZoneInfo) {
	sort.Slice(infos, func(i, j int) bool { return infos[i].Name < infos[j].Name })
}
