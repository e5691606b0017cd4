package zones

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"heimdall/affinity"
	"heimdall/core/zone"
	"heimdall/core/zonefile"
	"heimdall/shard/seed"
)

// reading is a version of a zone as it was read.
type reading struct {
	of       Zone
	zone     *zone.Zone // nil: err says why
	mem      []byte     // of zone
	warnings []string
	stamp    stamp
	err      error
}

// maxShown bounds the warnings of one zone that operators are shown at a time.
const maxShown = 20

// shortened is a list that may go on with how many more there are.
func shortened(list []string) []string {
	if len(list) <= maxShown {
		return list
	}
	return append(list[:maxShown:maxShown], fmt.Sprintf("%d more warnings; `heimdalld -check` lists them", len(list)-maxShown))
}

// log writes the warnings, one a line.
func (r *reading) log(log *slog.Logger) {
	for _, w := range shortened(r.warnings) {
		log.Warn("a zone has a fault", "zone", r.of.Name.String(), "warning", w)
	}
}

// read loads a zone from its master file into memory of its own, which alloc maps.
func read(ctx context.Context, z Zone, alloc func(size int) ([]byte, error), tell func(progress)) *reading {
	out := &reading{of: z}
	src, err := openFiles(z)
	if err != nil {
		out.err = err
		return out
	}
	defer src.close()
	b, err := src.build(ctx, tell)
	if out.stamp = src.stamp; err != nil {
		out.err = err
		return out
	}
	var problems []zone.Problem
	out.zone, problems = b.Finish(func(size int) ([]byte, error) {
		out.mem, err = alloc(size)
		return out.mem, err
	})
	src.locate(ctx, problems)
	var errs []error
	for _, p := range problems {
		if p.Severity == zone.Error {
			errs = append(errs, errors.New(p.String()))
		} else {
			out.warnings = append(out.warnings, p.String())
		}
	}
	if out.zone == nil {
		out.err = fmt.Errorf("zone %s in %s: %w", z.Name, z.File, errors.Join(errs...))
	}
	return out
}

// build puts all records of the zone into a Builder.
func (f *files) build(ctx context.Context, tell func(progress)) (*zone.Builder, error) {
	b := zone.NewBuilder(f.of.Name, zone.Options{
		Seed: seed.Uint64(), Checks: true, Now: uint32(time.Now().Unix()),
		Memory: zone.Memory{
			Alloc: func(size int) ([]byte, error) { return mapNear(affinity.AnyNode, size, false) },
			Free:  func(mem []byte) { affinity.Unmap(mem) },
		},
	})
	records := 0
	err := f.read(ctx, func(r *zonefile.Record, percent func() int) error {
		if records++; records%progressEvery == 0 {
			tell(progress{records, percent()})
		}
		return b.Add(r.Owner, r.Type, r.Class, r.TTL, r.RData)
	})
	if err != nil {
		b.Discard()
		return nil, err
	}
	return b, nil
}

// read calls f with each record of the zone in turn. The error has all that is wrong, one a line.
func (f *files) read(ctx context.Context, each func(r *zonefile.Record, percent func() int) error) error {
	src, err := f.open(ctx)
	if err != nil {
		return f.of.at("file", fmt.Errorf("open zone %s: %w", f.of.Name, err))
	}
	defer src.Close()
	err = zonefile.Read(src, zonefile.Options{
		Name: f.of.File, Origin: f.of.Name,
		Open: func(name string) (io.ReadCloser, error) { return f.include(ctx, name) },
	}, func(r *zonefile.Record) error { return each(r, src.percent) })
	if err != nil {
		return fmt.Errorf("zone %s: %w", f.of.Name, zonefile.EveryError(err))
	}
	return nil
}

// locate gives problems their lines, by reading the zone once more: to keep the lines of all records would cost every
// zone memory for the sake of those with faults. Where a file is another one by now, no line is told.
func (f *files) locate(ctx context.Context, problems []zone.Problem) {
	l := zone.NewLocator(problems)
	before := f.stamp
	f.stamp = stamp{}
	if l.Done() || before.stale() {
		return
	}
	f.read(ctx, func(r *zonefile.Record, _ func() int) error { // there was no error the first time
		if l.Record(r.Owner, r.Type, r.RData, r.File, r.Line); l.Done() {
			return zonefile.ErrStop
		}
		return nil
	})
	l.Rest(f.of.File)
}
