package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"heimdall/core/control"
)

// reloadTimeout is how long zone reload waits without -timeout: tens of millions of records take minutes.
const reloadTimeout = time.Hour

func (t *tool) zone() *cobra.Command {
	zone := &cobra.Command{
		Use:   "zone",
		Short: "Look into the zones that are served, or read them again",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return &usageError{"a command is missing: zone reload or zone lookup", cmd.CommandPath()}
		},
	}
	var all bool
	reload := &cobra.Command{
		Use:   "reload NAME | --all",
		Short: "Read the file of a zone again, or of all; exit code 1 when one keeps its old version",
		Long: "Read the file of a zone again, or the files of all zones. A version with an error is not\n" +
			"taken: the old one stays, and the exit code is 1. Without -timeout, it waits for an hour.",
		Args:              argCount(0, 1, "a NAME or -all"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) == 1) {
				return &usageError{cmd.CommandPath() + " takes either a NAME or -all", cmd.CommandPath()}
			}
			if !cmd.Flags().Changed("timeout") {
				t.timeout = reloadTimeout
			}
			return t.zoneReload(cmd.Context(), strings.Join(args, ""))
		},
	}
	reload.Flags().BoolVar(&all, "all", false, "read the files of all zones")
	var do bool
	lookup := &cobra.Command{
		Use:               "lookup NAME TYPE",
		Short:             "Show what is answered from the zones; exit code 1 when the name is in none of them",
		Args:              argCount(2, 2, "a NAME and a TYPE"),
		ValidArgsFunction: completeType,
		RunE: func(cmd *cobra.Command, args []string) error {
			return t.zoneLookup(cmd.Context(), control.ZoneLookupArgs{Name: args[0], Type: strings.ToUpper(args[1]), DO: do})
		},
	}
	lookup.Flags().BoolVar(&do, "do", false, "with signatures and proofs of non-existence")
	zone.AddCommand(reload, lookup)
	return zone
}

func (t *tool) zones(ctx context.Context) error {
	_, err := ask(ctx, t, control.CommandZones, nil, showZones)
	return err
}

func showZones(w io.Writer, l *control.ZoneList) {
	if len(l.Zones) == 0 {
		fmt.Fprintln(w, "no zones are configured")
		return
	}
	var tab table
	tab.row("NAME", "SERIAL", "RECORDS", "MEMORY", "LOADED", "TAKING", "STATE")
	for i := range l.Zones {
		z := &l.Zones[i]
		if z.Loaded.IsZero() {
			tab.row(z.Name, "-", "-", "-", "never", "-", zoneState(z))
			continue
		}
		tab.row(z.Name, z.Serial, count(z.Records), bytesText(z.MemoryBytes), z.Loaded.UTC().Format(time.DateTime)+" UTC", us(z.LoadSeconds*1e6), zoneState(z))
	}
	tab.write(w)
	for i := range l.Zones {
		for _, p := range l.Zones[i].Problems {
			fmt.Fprintf(w, "%s %s\n", l.Zones[i].Name, oneLine(p))
		}
	}
}

// zoneState says what a zone is doing.
func zoneState(z *control.ZoneInfo) string {
	text := string(z.State)
	switch {
	case z.State == control.ZoneLoading && z.Progress != "":
		text += ", " + z.Progress
	case z.State == control.ZoneFailed && z.Loaded.IsZero():
		text += ", not served"
	case z.State == control.ZoneFailed:
		text += ", old version served"
	}
	if z.Signed {
		text += ", signed"
	}
	if z.ZONEMD != "" && z.ZONEMD != "absent" {
		text += ", ZONEMD " + z.ZONEMD
	}
	return text
}

// zoneReload reloads a zone, or all with an empty name, and tells meanwhile how far it is.
func (t *tool) zoneReload(ctx context.Context, name string) error {
	type result struct {
		list *control.ZoneList
		err  error
	}
	done := make(chan result, 1)
	go func() {
		list, err := ask(ctx, t, control.CommandZoneReload, control.ZoneReloadArgs{Name: name}, showReloaded)
		done <- result{list, err}
	}()
	told := map[string]string{}
	for {
		select {
		case r := <-done:
			if r.err != nil {
				return r.err
			}
			return notReloaded(r.list)
		case <-t.env.after(time.Second):
			if !t.json {
				t.tellProgress(ctx, name, told)
			}
		}
	}
}

// tellProgress writes how far the load of a zone is, or of all with an empty name, as far as it was not told
// before.
func (t *tool) tellProgress(ctx context.Context, name string, told map[string]string) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	data, err := t.raw(ctx, control.CommandZones, nil)
	var l control.ZoneList
	if err != nil || json.Unmarshal(data, &l) != nil {
		return // what is wrong, the reload itself will say
	}
	for i := range l.Zones {
		z := &l.Zones[i]
		named := name == "" || strings.EqualFold(strings.TrimSuffix(name, "."), strings.TrimSuffix(z.Name, "."))
		if z.State != control.ZoneLoading || told[z.Name] == z.Progress || !named {
			continue
		}
		told[z.Name] = z.Progress
		fmt.Fprint(t.env.errOut, strings.Map(printable, fmt.Sprintf("%s: loading, %s\n", z.Name, oneLine(z.Progress))))
	}
}

// showReloaded shows the zones that were reloaded; notReloaded tells of the others.
func showReloaded(w io.Writer, l *control.ZoneList) {
	for i := range l.Zones {
		z := &l.Zones[i]
		if z.State == control.ZoneFailed {
			continue
		}
		fmt.Fprintf(w, "%s: serial %d, %s records, %s, loaded in %s\n", z.Name, z.Serial, count(z.Records), bytesText(z.MemoryBytes), us(z.LoadSeconds*1e6))
		for _, p := range z.Problems {
			fmt.Fprintln(w, "  "+oneLine(p))
		}
	}
}

// notReloaded is the error that some zones were not, nil if all were.
func notReloaded(l *control.ZoneList) error {
	var lines []string
	for i := range l.Zones {
		z := &l.Zones[i]
		if z.State != control.ZoneFailed {
			continue
		}
		line := fmt.Sprintf("%s was not loaded: serial %d is still served", z.Name, z.Serial)
		if z.Loaded.IsZero() {
			line = z.Name + " was not loaded: it is not served"
		}
		lines = append(lines, line)
		for _, p := range z.Problems {
			lines = append(lines, "  "+oneLine(p))
		}
	}
	if lines == nil {
		return nil
	}
	return &outcomeError{strings.Join(lines, "\n")}
}

func (t *tool) zoneLookup(ctx context.Context, args control.ZoneLookupArgs) error {
	reply, err := ask(ctx, t, control.CommandZoneLookup, args, showZoneLookup)
	if err == nil && reply.Zone == "" {
		return &outcomeError{reply.Name + " is in none of the zones that are served"}
	}
	return err
}

func showZoneLookup(w io.Writer, l *control.ZoneLookup) {
	if l.Zone == "" {
		return
	}
	fmt.Fprintf(w, "%s %s in zone %s: %s\n", l.Name, l.Type, l.Zone, strings.Join(append([]string{l.Rcode}, l.Flags...), " "))
	for _, section := range []struct {
		name    string
		records []string
	}{{"answer", l.Answer}, {"authority", l.Authority}, {"additional", l.Additional}} {
		if len(section.records) == 0 {
			continue
		}
		fmt.Fprintln(w, section.name)
		for _, record := range section.records {
			fmt.Fprintln(w, "  "+oneLine(record))
		}
	}
}

// oneLine puts text on one line.
func oneLine(text string) string { return strings.ReplaceAll(text, "\n", " ") }
