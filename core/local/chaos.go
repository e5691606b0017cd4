package local

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// chaosName is a name in class CHAOS and its TXT record.
type chaosName struct {
	name   dname.Name
	record []byte
}

func newChaos(o *Options) []chaosName {
	var names []chaosName
	add := func(name, text string) {
		if text != "" {
			// TTL 0: these are facts about one server, not to be taken for another's.
			record := appendRecord(nil, wire.TypeTXT, wire.ClassCH, 0, appendStrings(nil, text))
			names = append(names, chaosName{parseName(name), record})
		}
	}
	add("version.bind.", o.Version)
	add("version.server.", o.Version)
	add("id.server.", o.Identity)
	add("hostname.bind.", o.Hostname)
	return names
}

func (t *Table) lookupChaos(q *wire.Query) Verdict {
	if q.Type != wire.TypeTXT && q.Type != wire.TypeANY {
		return Verdict{}
	}
	for i := range t.chaos {
		if dname.Equal(q.Name, t.chaos[i].name) {
			return Verdict{record: t.chaos[i].record, section: wire.Answer, authoritative: true}
		}
	}
	return Verdict{}
}
