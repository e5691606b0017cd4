package tap

import (
	"net/netip"
	"time"

	"heimdall/core/dname"
	"heimdall/core/wire"
	"heimdall/shard/tap/ring"
)

// Settings are what the configuration says. They are compared as a whole: nobody changes them once made.
type Settings struct {
	Ring   int // bytes, of each shard
	Lines  LineSettings
	Frames FrameSettings
}

// on tells whether anything is recorded.
func (s *Settings) on() bool { return s.Lines.On || s.Frames.Network != "" }

// LineSettings are those of the query log.
type LineSettings struct {
	On         bool
	File       string // empty: the daemon's log
	JSON       bool
	Sample     int // one of so many responses has a line; 0: only those of the rules below
	PerSecond  int // lines; 0: no bound
	Rcodes     []wire.Rcode
	Names      []dname.Name // these and all below them; lower case
	Clients    []netip.Prefix
	SlowerThan time.Duration // 0: no rule
}

// rules tells whether there are rules.
func (s *LineSettings) rules() bool {
	return len(s.Rcodes) > 0 || len(s.Names) > 0 || len(s.Clients) > 0 || s.SlowerThan > 0
}

// FrameSettings are those of dnstap.
type FrameSettings struct {
	Network  string // "unix", "tcp" or "file"; empty: dnstap is off
	Address  string
	Messages ring.Messages
	Sample   int // one of so many
	Identity string
	Version  string
}

// target is where frames go, as operators write it.
func (s *FrameSettings) target() string { return s.Network + ":" + s.Address }

// selection is what shards record.
func (s *Settings) selection() (sel ring.Selection) {
	if s.Lines.On {
		sel.Lines, sel.Rules = uint32(s.Lines.Sample), s.Lines.rules()
	}
	if s.Frames.Network != "" {
		sel.Frames, sel.Messages = uint32(s.Frames.Sample), s.Frames.Messages
	}
	return sel
}
