package supervisor

import (
	"strings"
	"unicode/utf8"

	"heimdall/core/config"
	"heimdall/core/control"
)

// Diff tells what Reload would change, and changes nothing. Errors are those that Reload finds before it begins.
func (s *Supervisor) Diff() (*control.ConfigDiff, error) {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	c, problems, err := s.readChange()
	if err != nil {
		return nil, err
	}
	out := &control.ConfigDiff{Config: s.path, Files: c.file.Files(), Changes: []control.ConfigChange{}, Zones: []string{}}
	zones := map[string]bool{} // in the files
	for _, z := range c.file.Zone {
		zones[z.Name.String()] = true
	}
	for _, d := range config.Diff(c.now, c.file) {
		from, to := shorten(d.Old, d.New)
		out.Changes = append(out.Changes, control.ConfigChange{Key: d.Key, Old: from, New: to, Reload: d.Reload, Place: c.file.Place(d.Path)})
	}
	for _, name := range s.zones.Stale() {
		if zones[name] {
			out.Zones = append(out.Zones, name)
		}
	}
	for _, p := range problems {
		out.Warnings = append(out.Warnings, p.Error())
	}
	out.Warnings = append(out.Warnings, c.warnings...)
	return out, nil
}

// maxShown is how many octets of a value are shown. Lists of clients may be long.
const maxShown = 1000

// shorten cuts two values that differ to what is shown of them, from where they differ.
func shorten(a, b string) (string, string) {
	if len(a) <= maxShown && len(b) <= maxShown {
		return a, b
	}
	same := 0
	for same < min(len(a), len(b)) && a[same] == b[same] {
		same++
	}
	const before = 100
	return window(a, same-before), window(b, same-before)
}

// window is what is shown of a value from an octet on.
func window(s string, from int) string {
	const mark = "… "
	from = min(max(from, 0), len(s))
	end := min(from+maxShown, len(s))
	out := s[from:end]
	if from > 0 {
		out = mark + out
	}
	if end < len(s) {
		out += " …"
	}
	if !utf8.ValidString(out) { // cut within a character
		out = strings.ToValidUTF8(out, "")
	}
	return out
}
