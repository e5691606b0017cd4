package supervisor

import (
	"context"
	"net/netip"

	"heimdall/core"
	"heimdall/core/control"
	"heimdall/core/dname"
	"heimdall/core/resolver"
	"heimdall/core/wire"
	"heimdall/shard"
)

// Trace implements control.Server. The first shard that takes commands resolves the name.
func (s *Supervisor) Trace(ctx context.Context, args control.TraceArgs) (*control.Trace, error) {
	name, err := parseName(args.Name)
	if err != nil {
		return nil, err
	}
	typ, err := wire.ParseType(args.Type)
	if err != nil {
		return nil, control.Errorf(control.CodeBadRequest, "type %q: %v", args.Type, err)
	}
	if typ.IsMeta() && typ != wire.TypeANY {
		return nil, control.Errorf(control.CodeBadRequest, "type %s cannot be resolved", typ)
	}
	out := &control.Trace{Name: name.String(), Type: typ.String()}
	q := resolver.Question{Name: name, Type: typ, Class: wire.ClassIN, CD: args.CD}
	client, _ := netip.ParseAddr(args.Client) // checked, or empty
	begin := func(e *core.Engine, now int64, done func(*resolver.Trace)) bool {
		return e.Trace(now, &q, client.WithZone(""), done)
	}
	err = s.onEngine(ctx, begin, func(w *worker, t *resolver.Trace) {
		out.Shard = w.opt.ID
		describeTrace(out, t)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// errTracing: one resolution at a time is traced.
var errTracing = control.Errorf(control.CodeUnavailable, "another trace is under way, or too many queries are in flight")

// resolve resolves q anew on the first shard that takes commands, and calls done with all
// that was done for it. When resolve returns an error, done has not been called and will not be.
func (s *Supervisor) resolve(ctx context.Context, q *resolver.Question, done func(*worker, *resolver.Trace)) error {
	return s.onEngine(ctx, func(e *core.Engine, now int64, done func(*resolver.Trace)) bool { return e.Resolve(now, q, done) }, done)
}

// onEngine is resolve for what begin begins on the thread of a shard.
func (s *Supervisor) onEngine(ctx context.Context, begin func(*core.Engine, int64, func(*resolver.Trace)) bool, done func(*worker, *resolver.Trace)) error {
	ctx, cancel := context.WithTimeout(ctx, s.running.Resolver.Timeout+adminTimeout)
	defer cancel()
	ended := make(chan *resolver.Trace, 1)
	var by *worker
	var on *shard.Shard
	var begun bool
	err := s.onSome(ctx, func(sh *shard.Shard) {
		on = sh
		for _, w := range s.workers() {
			if w.current.Load() == sh {
				by = w
			}
		}
		if by != nil {
			begun = begin(sh.Engine(), by.now(), func(t *resolver.Trace) {
				t.Answer.Msg = append([]byte(nil), t.Answer.Msg...)
				ended <- t
			})
		}
	})
	switch {
	case err != nil:
		return err
	case !begun:
		return errTracing
	}
	select {
	case t := <-ended:
		done(by, t)
		return nil
	case <-on.Ended():
		return errRestarting
	case <-ctx.Done():
		return ctx.Err()
	}
}

func describeTrace(out *control.Trace, t *resolver.Trace) {
	out.Route, out.Cached = t.Route, t.Cached
	out.Dropped, out.Queries, out.TookUs = t.Dropped, t.Queries, float64(t.Took)/1e3
	out.Rcode, out.AD = t.Answer.Rcode.String(), t.Answer.AD
	out.Steps, out.Answer = []control.TraceStep{}, []string{}
	if t.Answer.Failed {
		if out.EDE = t.Answer.EDE.String(); t.Answer.EDEText != "" {
			out.EDE += ": " + t.Answer.EDEText
		}
	}
	for i := range t.Steps {
		from := &t.Steps[i]
		step := control.TraceStep{
			AtUs: float64(from.At) / 1e3, Depth: from.Depth, Kind: from.Kind, Name: from.Name, Type: from.Type.String(),
			RTTUs: float64(from.RTT) / 1e3, Text: from.Text, Records: from.Records,
		}
		if from.Server != (netip.AddrPort{}) {
			step.Server = from.Server.String()
		}
		out.Steps = append(out.Steps, step)
	}
	eachRecord(t.Answer.Msg, func(section wire.Section, _ dname.Name, rr *wire.RR) {
		if section == wire.Answer {
			out.Answer = append(out.Answer, string(wire.AppendRRText(nil, t.Answer.Msg, rr)))
		}
	})
}

// eachRecord calls f for all records of msg. The owner is valid during the call.
func eachRecord(msg []byte, f func(wire.Section, dname.Name, *wire.RR)) {
	var r wire.Reader
	var rr wire.RR
	var owner [dname.MaxLen]byte
	if !r.Reset(msg) {
		return
	}
	for {
		section, ok := r.Next(&rr)
		if !ok {
			return
		}
		if name, _, ok := dname.Unpack(owner[:0], msg, rr.Owner); ok {
			f(section, dname.Name(name), &rr)
		}
	}
}
