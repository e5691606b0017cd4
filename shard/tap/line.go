package tap

import (
	"encoding/binary"
	"log/slog"
	"net/netip"
	"strconv"
	"time"

	"heimdall/core"
	"heimdall/core/dname"
	"heimdall/core/wire"
	"heimdall/shard/tap/ring"
)

// line is one response as the query log has it.
type line struct {
	time      time.Time // of the query
	client    netip.AddrPort
	transport ring.Transport
	name      dname.Name // as asked; nil: there is no readable question
	typ       wire.Type
	class     wire.Class
	flags     uint16 // of the response
	do        bool   // of the query
	rcode     wire.Rcode
	ede       wire.EDE
	answers   uint16
	size      uint16
	took      time.Duration
	source    core.Source
	secure    bool
}

// read fills l in with a record; zero is when the shards' clock was 0.
func (l *line) read(r *ring.Record, zero int64) {
	*l = line{
		time: time.Unix(0, zero+r.Asked).UTC(), client: netip.AddrPortFrom(netip.AddrFrom16(r.Peer).Unmap(), r.PeerPort), transport: r.Transport,
		do: r.Bits&ring.DO != 0, rcode: wire.Rcode(r.Rcode), ede: wire.EDE(r.EDE), size: r.Size, took: time.Duration(max(r.Ended-r.Asked, 0)),
		source: core.Source(r.Source), secure: r.Bits&ring.Secure != 0,
	}
	if len(r.Response) < wire.HeaderLen {
		return
	}
	l.flags, l.answers = wire.Flags(r.Response), binary.BigEndian.Uint16(r.Response[6:])
	if name, ok := dname.Parse(r.Response[wire.HeaderLen:]); ok && wire.HeaderLen+len(name)+4 <= min(len(r.Response), int(r.Question)) {
		l.name = name
		q := r.Response[wire.HeaderLen+len(name):]
		l.typ, l.class = wire.Type(binary.BigEndian.Uint16(q)), wire.Class(binary.BigEndian.Uint16(q[2:]))
	}
}

// verdict says in a word what validation has found.
func (l *line) verdict() string {
	switch {
	case l.secure:
		return "secure"
	case l.rcode != wire.RcodeServFail:
		return "-"
	case l.ede == wire.EDEIndeterminate:
		return "indeterminate"
	case l.ede >= wire.EDEBogus && l.ede <= wire.EDENSECMissing:
		return "bogus"
	}
	return "-"
}

// flagNames are the flags of a header, in the order in which dig shows them.
var flagNames = [...]struct {
	bit  uint16
	name string
}{{wire.FlagAA, "aa"}, {wire.FlagTC, "tc"}, {wire.FlagRD, "rd"}, {wire.FlagRA, "ra"}, {wire.FlagAD, "ad"}, {wire.FlagCD, "cd"}}

// appendFlags appends the flags of the response, and DO of the query, with commas; "-" for none.
func (l *line) appendFlags(dst []byte) []byte {
	start := len(dst)
	for _, f := range flagNames {
		if l.flags&f.bit != 0 {
			dst = append(append(dst, f.name...), ',')
		}
	}
	if l.do {
		dst = append(dst, "do,"...)
	}
	if len(dst) == start {
		return append(dst, '-')
	}
	return dst[:len(dst)-1]
}

// stampFormat is RFC 3339 with microseconds.
const stampFormat = "2006-01-02T15:04:05.000000Z07:00"

// appendText appends the line as keys and values. Nothing that comes from the network has a blank, a quote or a control
// character in it unless it is escaped: a name has them as \DDD or behind a backslash, and then stands in quotes.
func (l *line) appendText(dst []byte) []byte {
	dst = l.time.AppendFormat(append(dst, "time="...), stampFormat)
	dst = l.client.AppendTo(append(dst, " client="...))
	dst = append(append(dst, " transport="...), l.transport.String()...)
	dst = l.appendTextName(append(dst, " name="...))
	dst = append(append(dst, " class="...), l.class.String()...)
	dst = append(append(dst, " type="...), l.typ.String()...)
	dst = l.appendFlags(append(dst, " flags="...))
	dst = append(append(dst, " rcode="...), l.rcode.String()...)
	if l.ede != wire.EDEOther {
		dst = strconv.AppendUint(append(dst, " ede="...), uint64(l.ede), 10)
	}
	dst = strconv.AppendUint(append(dst, " answers="...), uint64(l.answers), 10)
	dst = strconv.AppendUint(append(dst, " size="...), uint64(l.size), 10)
	dst = strconv.AppendInt(append(dst, " us="...), l.took.Microseconds(), 10)
	dst = append(append(dst, " source="...), l.source.String()...)
	dst = append(append(dst, " dnssec="...), l.verdict()...)
	return append(dst, '\n')
}

func (l *line) appendTextName(dst []byte) []byte {
	if l.name == nil {
		return append(dst, '-')
	}
	start := len(dst)
	dst = l.name.AppendText(dst)
	for _, c := range dst[start:] {
		if c == '\\' || c == '=' {
			return strconv.AppendQuote(dst[:start], l.name.String())
		}
	}
	return dst
}

// appendJSON appends the line as a JSON object.
func (l *line) appendJSON(dst []byte) []byte {
	dst = l.time.AppendFormat(append(dst, `{"time":"`...), stampFormat)
	dst = l.client.AppendTo(append(dst, `","client":"`...))
	dst = append(append(dst, `","transport":"`...), l.transport.String()...)
	dst = append(dst, `","name":"`...)
	start := len(dst)
	dst = escapeJSON(l.name.AppendText(dst), start)
	dst = append(append(dst, `","class":"`...), l.class.String()...)
	dst = append(append(dst, `","type":"`...), l.typ.String()...)
	dst = l.appendFlags(append(dst, `","flags":"`...))
	dst = append(append(dst, `","rcode":"`...), l.rcode.String()...)
	dst = append(dst, '"')
	if l.ede != wire.EDEOther {
		dst = strconv.AppendUint(append(dst, `,"ede":`...), uint64(l.ede), 10)
	}
	dst = strconv.AppendUint(append(dst, `,"answers":`...), uint64(l.answers), 10)
	dst = strconv.AppendUint(append(dst, `,"size":`...), uint64(l.size), 10)
	dst = strconv.AppendInt(append(dst, `,"us":`...), l.took.Microseconds(), 10)
	dst = append(append(dst, `,"source":"`...), l.source.String()...)
	dst = append(append(dst, `","dnssec":"`...), l.verdict()...)
	return append(dst, "\"}\n"...)
}

// escapeJSON escapes what a name in presentation form, printable ASCII at dst[start:], has of backslashes and quotes.
func escapeJSON(dst []byte, start int) []byte {
	more := 0
	for _, c := range dst[start:] {
		if c == '\\' || c == '"' {
			more++
		}
	}
	if more == 0 {
		return dst
	}
	from := len(dst) - 1
	for range more {
		dst = append(dst, 0)
	}
	for to := len(dst) - 1; from >= start; from-- {
		c := dst[from]
		dst[to] = c
		to--
		if c == '\\' || c == '"' {
			dst[to] = '\\'
			to--
		}
	}
	return dst
}

// attrs are the line for the daemon's log.
func (l *line) attrs() []slog.Attr {
	name := l.name.String()
	if l.name == nil {
		name = "-"
	}
	attrs := []slog.Attr{
		slog.String("client", l.client.String()), slog.String("transport", l.transport.String()), slog.String("name", name),
		slog.String("class", l.class.String()), slog.String("type", l.typ.String()), slog.String("flags", string(l.appendFlags(nil))),
		slog.String("rcode", l.rcode.String()), slog.Int("answers", int(l.answers)), slog.Int("size", int(l.size)),
		slog.Int64("us", l.took.Microseconds()), slog.String("source", l.source.String()), slog.String("dnssec", l.verdict()),
	}
	if l.ede != wire.EDEOther {
		attrs = append(attrs, slog.Int("ede", int(l.ede)))
	}
	return attrs
}
