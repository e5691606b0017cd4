package journal

import (
	"bytes"
	"context"
	"encoding"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxLine is the length of a line in octets, from which on it is cut.
const maxLine = 16 << 10

// handler is the slog.Handler of a Journal. It does not change.
type handler struct {
	j     *Journal
	whole bool // lines of one kind are not limited
	group string
	with  []func(slog.Handler) slog.Handler // what was added to it, for the handlers of package slog
	names []field                           // likewise, for journald
}

// Whole returns a logger whose lines are not limited by kind: for what each happens because somebody wanted it.
func Whole(log *slog.Logger) *slog.Logger {
	h, ok := log.Handler().(*handler)
	if !ok {
		return log
	}
	c := *h
	c.whole = true
	return slog.New(&c)
}

// Enabled implements slog.Handler.
func (h *handler) Enabled(_ context.Context, l slog.Level) bool {
	return l >= h.j.least()
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.with = append(slices.Clip(h.with), func(s slog.Handler) slog.Handler { return s.WithAttrs(attrs) })
	c.names = slices.Clip(h.names)
	for _, a := range attrs {
		c.names = appendField(c.names, h.group, a)
	}
	return &c
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	c := *h
	c.with = append(slices.Clip(h.with), func(s slog.Handler) slog.Handler { return s.WithGroup(name) })
	c.group += name + "."
	return &c
}

// Handle implements slog.Handler. It waits for nobody and never fails.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	if h.whole || h.j.floods.pass(h.j.now(), r.Level, r.Message, h.j.options.Load().Burst) {
		h.j.add(h.render(ctx, r))
	}
	return nil
}

// render writes a line in the present format. Strings with characters that a terminal or a reader of lines would not take
// as text are quoted, by package slog.
func (h *handler) render(ctx context.Context, r slog.Record) (e entry) {
	var b bytes.Buffer
	all := slog.HandlerOptions{Level: slog.LevelDebug - 100} // Enabled has decided
	switch h.j.Format() {
	case JSON:
		h.inner(slog.NewJSONHandler(&b, &all)).Handle(ctx, r)
		if b.Len() > maxLine {
			b.Reset()
			short := slog.NewRecord(r.Time, r.Level, cut(r.Message, maxLine/8), 0)
			short.Add("cut", "the rest of the line is too long")
			slog.NewJSONHandler(&b, &all).Handle(ctx, short)
		}
		return entry{text: b.Bytes()}
	case Journald:
		all.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey) {
				return slog.Attr{}
			}
			return a
		}
		h.inner(slog.NewTextHandler(&b, &all)).Handle(ctx, r)
		message := plain(r.Message)
		if rest := strings.TrimSuffix(b.String(), "\n"); rest != "" {
			message += " " + rest
		}
		message = cut(message, maxLine)
		fields := slices.Clip(h.names)
		r.Attrs(func(a slog.Attr) bool {
			fields = appendField(fields, h.group, a)
			return true
		})
		return entry{native: appendNative(nil, r.Level, message, fields), text: prefixed(r.Level, []byte(message+"\n"))}
	}
	h.inner(slog.NewTextHandler(&b, &all)).Handle(ctx, r)
	if b.Len() > maxLine {
		return entry{text: []byte(cut(strings.TrimSuffix(b.String(), "\n"), maxLine) + "\n")}
	}
	return entry{text: b.Bytes()}
}

// inner is a handler of package slog with what was added to h.
func (h *handler) inner(s slog.Handler) slog.Handler {
	for _, add := range h.with {
		s = add(s)
	}
	return s
}

// field is a value with a name of its own in journald.
type field struct{ name, value string }

// maxFields and maxField bound the fields of an entry, and the octets of each.
const (
	maxFields = 32
	maxField  = 1024
)

// appendField adds an attribute, or those of a group, to a list of fields. A field that journald would not take is left out.
func appendField(list []field, group string, a slog.Attr) []field {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			group += a.Key + "."
		}
		for _, inner := range v.Group() {
			list = appendField(list, group, inner)
		}
		return list
	}
	if a.Key == "" || len(list) == maxFields {
		return list
	}
	return append(list, field{fieldName(group + a.Key), cut(plain(valueText(v)), maxField)})
}

// fieldName is the name that journald knows an attribute by: HEIMDALL_ and capitals, digits and underscores, 64 at most.
func fieldName(key string) string {
	name := "HEIMDALL_" + strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		}
		return '_'
	}, key)
	return name[:min(len(name), 64)]
}

// valueText is a value as slog.TextHandler writes it, but for quotes.
func valueText(v slog.Value) string {
	if v.Kind() != slog.KindAny {
		return v.String()
	}
	switch x := v.Any().(type) {
	case error:
		return x.Error()
	case encoding.TextMarshaler:
		if text, err := x.MarshalText(); err == nil {
			return string(text)
		}
	}
	return fmt.Sprintf("%+v", v.Any())
}

// plain is text with what is not printable written as Go does in a string.
func plain(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return r == utf8.RuneError || !strconv.IsPrint(r) }) {
		quoted := strconv.Quote(text)
		return quoted[1 : len(quoted)-1]
	}
	return text
}

// cut is text of limit octets at most, with a mark where the rest is missing.
func cut(text string, limit int) string {
	const mark = "…"
	if len(text) <= limit {
		return text
	}
	at := limit - len(mark)
	for at > 0 && !utf8.RuneStart(text[at]) {
		at--
	}
	return text[:at] + mark
}

// appendNative writes an entry in journald's own protocol: lines of NAME=value. No name or value has a line feed in it.
func appendNative(dst []byte, l slog.Level, message string, fields []field) []byte {
	line := func(name, value string) {
		dst = append(dst, name...)
		dst = append(dst, '=')
		dst = append(dst, value...)
		dst = append(dst, '\n')
	}
	line("PRIORITY", strconv.Itoa(priority(l)))
	line("SYSLOG_IDENTIFIER", "heimdalld")
	line("MESSAGE", message)
	for _, f := range fields {
		line(f.name, f.value)
	}
	return dst
}
