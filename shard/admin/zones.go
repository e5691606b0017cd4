package admin

import (
	"context"

	"heimdall/core/control"
	"heimdall/core/dname"
	"heimdall/core/wire"
	"heimdall/shard"
	"heimdall/shard/worker"
)

// Zones implements control.Server.
func (s *Server) Zones(context.Context) (*control.ZoneList, error) {
	return &control.ZoneList{Zones: s.o.Zones.List()}, nil
}

// ZoneReload implements control.Server.
func (s *Server) ZoneReload(ctx context.Context, args control.ZoneReloadArgs) (*control.ZoneList, error) {
	var name dname.Name
	if args.Name != "" {
		var err error
		if name, err = parseName(args.Name); err != nil {
			return nil, err
		}
	}
	infos, err := s.o.Zones.Reload(ctx, name)
	if err != nil {
		return nil, err
	}
	return &control.ZoneList{Zones: infos}, nil
}

// ZoneLookup implements control.Server.
func (s *Server) ZoneLookup(ctx context.Context, args control.ZoneLookupArgs) (*control.ZoneLookup, error) {
	name, typ, err := parseQuestion(args.Name, args.Type)
	if err != nil {
		return nil, err
	}
	if typ.IsMeta() && typ != wire.TypeANY {
		return nil, control.Errorf(control.CodeBadRequest, "type %s: zones have no records of it", typ)
	}
	var q wire.Query
	q.Parse(wire.AppendQuery(nil, 0, 0, name, typ, wire.ClassIN))
	q.DO = args.DO
	out := &control.ZoneLookup{
		Name: name.String(), Type: typ.String(), Flags: []string{}, Answer: []string{}, Authority: []string{}, Additional: []string{},
	}
	var msg []byte
	err = worker.Some(ctx, s.o.Workers(), func(_ *worker.Worker, sh *shard.Shard) {
		set := sh.Engine().Zones
		if set == nil {
			return
		}
		if z := set.Find(name, typ); z != nil {
			out.Zone = z.Origin().String()
			msg, _, _ = set.AppendReply(nil, &q, wire.MaxLen, wire.FlagQR)
		}
	})
	if err != nil || out.Zone == "" {
		return out, err
	}
	addReply(out, msg)
	return out, nil
}

// addReply puts msg, a response, into words.
func addReply(out *control.ZoneLookup, msg []byte) {
	flags := wire.Flags(msg)
	out.Rcode = wire.Rcode(flags & wire.RcodeMask).String()
	if flags&wire.FlagAA != 0 {
		out.Flags = append(out.Flags, "AA")
	}
	if flags&wire.FlagTC != 0 {
		out.Flags = append(out.Flags, "TC")
	}
	eachRecord(msg, func(section wire.Section, text string) {
		switch section {
		case wire.Answer:
			out.Answer = append(out.Answer, text)
		case wire.Authority:
			out.Authority = append(out.Authority, text)
		case wire.Additional:
			out.Additional = append(out.Additional, text)
		}
	})
}
