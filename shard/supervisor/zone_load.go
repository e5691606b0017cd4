package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"heimdall/affinity"
	"heimdall/core/config"
	"heimdall/core/zone"
	"heimdall/core/zonefile"
)

// zoneConfig is a zone and where in the configuration its keys stand.
type zoneConfig struct {
	config.Zone
	file, folder config.Problem // without a message
}

// zonesOf lists the zones of a configuration.
func zonesOf(c *config.Config) (list []zoneConfig) {
	for i, z := range c.Zone {
		path := config.Element("zone", i)
		list = append(list, zoneConfig{z, c.Problem(path+".file", ""), c.Problem(path+".include_folder", "")})
	}
	return list
}

// problem is err with the place where the configuration names the zone's file.
func (c *zoneConfig) problem(err error) error { return placed(c.file, err) }

// folderProblem is err with the place where the configuration names the zone's include folder.
func (c *zoneConfig) folderProblem(err error) error { return placed(c.folder, err) }

func placed(p config.Problem, err error) error {
	p.Message = err.Error()
	return p
}

// zoneRead is a version of a zone as it was read.
type zoneRead struct {
	config   zoneConfig
	zone     *zone.Zone // nil: err says why
	mem      []byte     // of zone
	warnings []string
	files    zoneStamp
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
func (r *zoneRead) log(log *slog.Logger) {
	for _, w := range shortened(r.warnings) {
		log.Warn("a zone has a fault", "zone", r.config.Name.String(), "warning", w)
	}
}

// readZone loads a zone from its master file into memory of its own, which alloc maps.
func readZone(ctx context.Context, c zoneConfig, alloc func(size int) ([]byte, error), tell func(progress)) *zoneRead {
	out := &zoneRead{config: c}
	files, err := newZoneFiles(c)
	if err != nil {
		out.err = err
		return out
	}
	defer files.close()
	b := zone.NewBuilder(c.Name, zone.Options{
		Seed: newSeed(), Checks: true, Now: uint32(time.Now().Unix()),
		Memory: zone.Memory{
			Alloc: func(size int) ([]byte, error) { return mapZone(affinity.AnyNode, size, false) },
			Free:  func(mem []byte) { affinity.Unmap(mem) },
		},
	})
	records := 0
	err = files.read(ctx, c, func(r *zonefile.Record, percent func() int) error {
		if records++; records%progressEvery == 0 {
			tell(progress{records, percent()})
		}
		return b.Add(r.Owner, r.Type, r.Class, r.TTL, r.RData)
	})
	out.files = files.stamp
	if err != nil {
		b.Discard()
		out.err = err
		return out
	}
	z, problems := b.Finish(func(size int) ([]byte, error) {
		out.mem, err = alloc(size)
		return out.mem, err
	})
	files.locate(ctx, c, problems)
	var errs []error
	for _, p := range problems {
		if p.Severity == zone.Error {
			errs = append(errs, errors.New(p.String()))
		} else {
			out.warnings = append(out.warnings, p.String())
		}
	}
	if out.zone = z; z == nil {
		out.err = fmt.Errorf("zone %s in %s: %w", c.Name, c.File, errors.Join(errs...))
	}
	return out
}

// read calls f with each record of the zone in turn. The error has all that is wrong, one a line.
func (f *zoneFiles) read(ctx context.Context, c zoneConfig, each func(r *zonefile.Record, percent func() int) error) error {
	src, err := f.open(ctx)
	if err != nil {
		return c.problem(fmt.Errorf("open zone %s: %w", c.Name, err))
	}
	defer src.Close()
	err = zonefile.Read(src, zonefile.Options{
		Name: c.File, Origin: c.Name,
		Open: func(name string) (io.ReadCloser, error) { return f.include(ctx, name) },
	}, func(r *zonefile.Record) error { return each(r, src.percent) })
	if err != nil {
		return fmt.Errorf("zone %s: %w", c.Name, zonefile.EveryError(err))
	}
	return nil
}

// locate gives problems their lines, by reading the zone once more: to keep the lines of all records would cost every
// zone memory for the sake of those with faults. Where a file is another one by now, no line is told.
func (f *zoneFiles) locate(ctx context.Context, c zoneConfig, problems []zone.Problem) {
	l := zone.NewLocator(problems)
	before := f.stamp
	f.stamp = zoneStamp{}
	if l.Done() || before.stale() {
		return
	}
	f.read(ctx, c, func(r *zonefile.Record, _ func() int) error { // there was no error the first time
		if l.Record(r.Owner, r.Type, r.RData, r.File, r.Line); l.Done() {
			return zonefile.ErrStop
		}
		return nil
	})
	l.Rest(c.File)
}

// checkZones loads all zones of a configuration and forgets them.
func checkZones(ctx context.Context, c *config.Config) (warnings []string, err error) {
	var errs []error
	for _, z := range zonesOf(c) {
		r := readZone(ctx, z, func(size int) ([]byte, error) { return mapZone(affinity.AnyNode, size, false) }, func(progress) {})
		affinity.Unmap(r.mem)
		errs = append(errs, r.err)
		for _, w := range r.warnings {
			warnings = append(warnings, fmt.Sprintf("zone %s: %s", z.Name, w))
		}
	}
	return warnings, errors.Join(errs...)
}
