package admin

import (
	"context"
	"errors"
	"net/netip"

	"heimdall/core"
	"heimdall/core/control"
	"heimdall/core/resolver"
	"heimdall/core/wire"
	"heimdall/shard/worker"
)

// Trace implements control.Server. The first shard that takes commands resolves the name.
func (s *Server) Trace(ctx context.Context, args control.TraceArgs) (*control.Trace, error) {
	name, typ, err := parseQuestion(args.Name, args.Type)
	if err != nil {
		return nil, err
	}
	if typ.IsMeta() && typ != wire.TypeANY {
		return nil, control.Errorf(control.CodeBadRequest, "type %s cannot be resolved", typ)
	}
	out := &control.Trace{Name: name.String(), Type: typ.String()}
	client, _ := netip.ParseAddr(args.Client) // checked, or empty
	watch := new(resolver.Trace)
	ctx, cancel := context.WithTimeout(ctx, s.o.Settings().ResolveTime+worker.CommandTime)
	defer cancel()
	by, msg, err := worker.Resolve(ctx, s.o.Workers(), &core.Inquiry{
		Question: resolver.Question{Name: name, Type: typ, Class: wire.ClassIN, CD: args.CD}, Client: client.WithZone(""), Watch: watch,
	})
	if errors.Is(err, worker.ErrBusy) { // one resolution at a time is traced
		err = control.Errorf(control.CodeUnavailable, "another trace is under way, or too many queries are in flight")
	}
	if err != nil {
		return nil, err
	}
	out.Shard = by.ID()
	describeTrace(out, watch, msg)
	return out, nil
}

func describeTrace(out *control.Trace, t *resolver.Trace, msg []byte) {
	out.Route, out.Cached = t.Route, t.Cached
	out.Dropped, out.Queries, out.TookUs = t.Dropped, t.Queries, float64(t.Took)/1e3
	out.Rcode, out.AD = wire.RcodeOf(wire.Flags(msg)).String(), t.Answer.AD
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
	eachRecord(msg, func(section wire.Section, text string) {
		if section == wire.Answer {
			out.Answer = append(out.Answer, text)
		}
	})
}

// eachRecord calls f for all records of msg, in presentation form.
func eachRecord(msg []byte, f func(section wire.Section, text string)) {
	var r wire.Reader
	var rr wire.RR
	if !r.Reset(msg) {
		return
	}
	for section, ok := r.Next(&rr); ok; section, ok = r.Next(&rr) {
		f(section, string(wire.AppendRRText(nil, msg, &rr)))
	}
}
