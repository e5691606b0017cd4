package tap

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"reflect"
	"time"

	"heimdall/core"
	"heimdall/shard/tap/dnstap"
	"heimdall/shard/tap/ring"
)

// output takes items to where they belong, on a goroutine of its own.
type output interface {
	offer(item []byte) bool // false: there is no room
	fails() bool            // the last try to write or to connect has failed
	refresh()               // looks anew where they belong
	discard()               // ends it in place of run
	run()                   // writes until close
	close()                 // writes what is left, for a bounded time
}

// lines is the query log.
type lines struct {
	LineSettings
	rules  *rules
	bound  bound
	out    output // nil: lines go to daemon
	daemon *slog.Logger
	counts *counts
	line   line
	buf    []byte
}

// newLines makes a query log that takes over where the one before it wrote, if it goes to the same place.
func newLines(s LineSettings, before *lines, c *counts, o *Options) (*lines, error) {
	l := &lines{LineSettings: s, rules: newRules(&s), bound: bound{most: s.PerSecond}, daemon: o.Lines, counts: c}
	switch {
	case s.File == "":
		return l, nil
	case before != nil && before.File == s.File:
		l.out = before.out
		return l, nil
	}
	f, err := newFile(s.File, lineShape, c, o.Log, o.Alone)
	l.out = f
	if err != nil {
		err = fmt.Errorf("open the query log: %w", err)
	}
	return l, err
}

// take writes a line for a record, if it shall have one. False: it is lost.
func (l *lines) take(r *ring.Record, zero int64) bool {
	l.line.read(r, zero)
	if r.Bits&ring.Line == 0 && !l.rules.match(&l.line) {
		return true
	}
	if !l.bound.pass(r.Ended) {
		l.counts.limited.Add(1)
		return true
	}
	if l.out == nil { // It does not wait, and counts itself what it drops.
		l.daemon.LogAttrs(context.Background(), slog.LevelInfo, "query", l.line.attrs()...)
		l.counts.written.Add(1)
		return true
	}
	if l.JSON {
		l.buf = l.line.appendJSON(l.buf[:0])
	} else {
		l.buf = l.line.appendText(l.buf[:0])
	}
	return l.out.offer(l.buf)
}

// tellKernel writes a line about the answers that the kernel gave since the line before.
func (l *lines) tellKernel(n uint64, now time.Time) {
	at := now.UTC().Format(stampFormat)
	switch {
	case l.out == nil:
		l.daemon.Info("answers of the kernel, which are not in the query log", "kernel_answers", n)
	case l.JSON:
		l.out.offer(fmt.Appendf(nil, "{\"time\":%q,\"kernel_answers\":%d}\n", at, n))
	default:
		l.out.offer(fmt.Appendf(nil, "time=%s kernel_answers=%d\n", at, n))
	}
}

// fails tells whether lines are lost because they cannot be written.
func (l *lines) fails() bool { return l != nil && l.out != nil && l.out.fails() }

func (l *lines) refresh() {
	if l != nil && l.out != nil {
		l.out.refresh()
	}
}

// start has its output write; before is the one that it takes over from.
func (l *lines) start(before *lines) {
	if l != nil && l.out != nil && (before == nil || before.out != l.out) {
		go l.out.run()
	}
}

// discard ends an output that has not been started, unless that is the one in force.
func (l *lines) discard(now *lines) {
	if l != nil && l.out != nil && (now == nil || now.out != l.out) {
		l.out.discard()
	}
}

// close ends its output, unless that is next's.
func (l *lines) close(next *lines) {
	if l != nil && l.out != nil && (next == nil || next.out != l.out) {
		l.out.close()
	}
}

// same tells whether lines of the settings go where those of l go.
func (l *lines) same(s LineSettings) bool { return l != nil && reflect.DeepEqual(l.LineSettings, s) }

// frames is dnstap.
type frames struct {
	FrameSettings
	out     output
	encoder *dnstap.Encoder
	message dnstap.Message
	buf     []byte
}

// newFrames makes a dnstap that takes over where the one before it wrote, if it goes to the same place.
func newFrames(s FrameSettings, before *frames, c *counts, o *Options) (*frames, error) {
	f := &frames{FrameSettings: s, encoder: dnstap.NewEncoder(s.Identity, s.Version)}
	if before != nil && before.target() == s.target() {
		f.out = before.out
		return f, nil
	}
	if s.Network != "file" {
		f.out = newStream(s.Network, s.Address, c, o.Log)
		return f, nil
	}
	shape := shape{count: countFrames, whole: wholeFrames, begin: dnstap.AppendStart(nil), end: dnstap.AppendStop(nil)}
	out, err := newFile(s.Address, shape, c, o.Log, o.Alone)
	f.out = out
	if err != nil {
		err = fmt.Errorf("open the file of dnstap: %w", err)
	}
	return f, err
}

// protocols are transports as dnstap numbers them.
var protocols = [...]dnstap.Protocol{ring.UDP: dnstap.UDP, ring.TCP: dnstap.TCP, ring.TLS: dnstap.DOT, ring.HTTPS: dnstap.DOH, ring.QUIC: dnstap.DOQ}

// take writes the frames of a record. It returns how many are lost.
func (f *frames) take(r *ring.Record, zero int64) (lost uint64) {
	query := dnstap.ClientQuery
	m := &f.message
	peer, local := octets(&r.Peer), octets(&r.Local)
	*m = dnstap.Message{Protocol: protocols[r.Transport], QueryZone: r.Zone, QueryTime: zero + r.Asked}
	if r.Kind == ring.Upstream {
		query = dnstap.ResolverQuery
		if r.Bits&ring.Forward != 0 {
			query = dnstap.ForwarderQuery
		}
		m.QueryAddress, m.QueryPort, m.ResponseAddress, m.ResponsePort = local, r.LocalPort, peer, r.PeerPort
	} else {
		if core.Source(r.Source) == core.FromZone {
			query = dnstap.AuthQuery
		}
		m.QueryAddress, m.QueryPort, m.ResponseAddress, m.ResponsePort = peer, r.PeerPort, local, r.LocalPort
	}
	if r.Bits&ring.QueryFrame != 0 {
		m.Type, m.QueryMessage = query, r.Query
		lost += f.put()
	}
	if r.Bits&ring.ResponseFrame != 0 {
		m.Type, m.QueryMessage = query+1, nil
		m.ResponseMessage, m.ResponseTime = r.Response, zero+r.Ended
		lost += f.put()
	}
	return lost
}

func (f *frames) put() (lost uint64) {
	if f.buf = f.encoder.AppendFrame(f.buf[:0], &f.message); f.out.offer(f.buf) {
		return 0
	}
	return 1
}

// fails tells whether frames cannot be written, or nobody is connected.
func (f *frames) fails() bool { return f != nil && f.out.fails() }

func (f *frames) refresh() {
	if f != nil {
		f.out.refresh()
	}
}

// start has its output write; before is the one that it takes over from.
func (f *frames) start(before *frames) {
	if f != nil && (before == nil || before.out != f.out) {
		go f.out.run()
	}
}

// discard ends an output that has not been started, unless that is the one in force.
func (f *frames) discard(now *frames) {
	if f != nil && (now == nil || now.out != f.out) {
		f.out.discard()
	}
}

// close ends its output, unless that is next's.
func (f *frames) close(next *frames) {
	if f != nil && (next == nil || next.out != f.out) {
		f.out.close()
	}
}

// same tells whether frames of the settings are those of f.
func (f *frames) same(s FrameSettings) bool { return f != nil && f.FrameSettings == s }

// octets are an address of 4 or 16 octets; nil if it is zero.
func octets(a *[16]byte) []byte {
	switch {
	case *a == [16]byte{}:
		return nil
	case netip.AddrFrom16(*a).Is4In6():
		return a[12:]
	}
	return a[:]
}
