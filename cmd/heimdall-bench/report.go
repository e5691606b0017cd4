package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Report is the whole of a run, as -json writes it.
type Report struct {
	Version  string    `json:"version"`
	Machine  Machine   `json:"machine"`
	Command  []string  `json:"command"`
	Workload string    `json:"workload"`
	Watchful bool      `json:"watchful"` // disturbances by other processes were looked for
	Servers  []Server  `json:"servers"`
	Rounds   []*Round  `json:"rounds"` // the raw figures, in the order in which they were taken
	Summary  []Summary `json:"summary"`
}

// Server is one server of a report.
type Server struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	PIDs    []int  `json:"pids,omitempty"`
}

// workload describes the traffic in one line.
func (o *options) workload(n names) string {
	var b strings.Builder
	proto, what := "UDP", "sockets"
	if o.tcp {
		proto, what = "TCP", "connections"
	}
	fmt.Fprintf(&b, "%s: %d names", o.scenario.name, n.count())
	if o.scenario.law == drawZipf {
		fmt.Fprintf(&b, ", Zipf %g", o.zipf)
	}
	fmt.Fprintf(&b, ", %s, at least %d %s, %d threads, ", proto, o.sockets, what, o.threads)
	switch {
	case o.scenario.cold:
		fmt.Fprintf(&b, "each asked once, %d at a time, median of %d rounds", o.window, o.rounds)
		return b.String()
	case o.search:
		fmt.Fprintf(&b, "searching up to %.3g%% loss", o.maxLoss*100)
	case o.scenario.attack == coldNames:
		fmt.Fprintf(&b, "%.0f queries/s for the first %d, alone and beside %.0f queries/s for the others", o.rate, min(o.hot, n.count()), o.attackRate)
	case o.scenario.attack != noAttack:
		fmt.Fprintf(&b, "%.0f good queries/s beside %.0f packets/s", o.rate, o.attackRate)
	default:
		fmt.Fprintf(&b, "%.0f queries/s", o.rate)
	}
	fmt.Fprintf(&b, ", %s each, median of %d rounds", o.duration, o.rounds)
	return b.String()
}

// writeJSON writes the report for programs.
func (r *Report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(r)
}

// writeTable writes the report for people.
func (r *Report) writeTable(w io.Writer, cols []column) {
	m := &r.Machine
	virtual := ""
	if m.Virtual {
		virtual = ", virtual"
	}
	fmt.Fprintf(w, "%s, %d CPUs%s, %s MiB, Linux %s, governor %s, %s, %s\n%s\n\n",
		m.CPU, m.CPUs, virtual, fmt.Sprint(m.MemoryBytes>>20), m.Kernel, m.Governor, m.Go, m.Date.Format("2006-01-02 15:04 MST"), r.Workload)
	shown := cols[:0:0]
	for _, c := range cols {
		for i := range r.Summary {
			if _, ok := r.Summary[i].Figures[c.key]; ok {
				shown = append(shown, c)
				break
			}
		}
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	titles := []string{"server"}
	for _, c := range shown {
		titles = append(titles, c.title)
	}
	fmt.Fprintln(tw, strings.Join(titles, "\t")+"\t")
	for i := range r.Summary {
		s := &r.Summary[i]
		row := []string{s.Server}
		for _, c := range shown {
			row = append(row, c.cell(s, i > 0))
		}
		fmt.Fprintln(tw, strings.Join(row, "\t")+"\t")
	}
	tw.Flush()
	r.writeNotes(w)
}

// cell writes a median with its spread and, for other servers than the first, its ratio.
func (c *column) cell(s *Summary, ratio bool) string {
	f, ok := s.Figures[c.key]
	if !ok {
		return "-"
	}
	text := fmt.Sprintf(c.format, f.Median*c.scale)
	if c.better == neither {
		return text
	}
	if f.Rounds > 1 {
		text += fmt.Sprintf(" +-%.0f%%", f.Spread*100)
	}
	if ratio && f.Ratio > 0 {
		text += fmt.Sprintf(" %.2fx", f.Ratio)
	}
	return text
}

// writeNotes says what a reader must know before trusting the table.
func (r *Report) writeNotes(w io.Writer) {
	if !r.Watchful {
		fmt.Fprintln(w, "without -pid for every server, disturbances by other processes were not looked for")
	}
	for i := range r.Summary {
		s := &r.Summary[i]
		if s.Noisy {
			fmt.Fprintf(w, "%s: other processes took more than %.0f%% of the CPUs in every round; these figures are worth little\n", s.Server, noisy*100)
		}
		if s.Limited {
			fmt.Fprintf(w, "%s: the generator could not send as fast as asked; with -threads and more CPUs the server may do better\n", s.Server)
		}
	}
	for _, round := range r.Rounds {
		for _, m := range round.Measurements {
			for _, q := range []*Result{m.Queries, m.Attack} {
				if q != nil && q.Wrong > 0 {
					fmt.Fprintf(w, "%s, round %d, %s: %d wrong, %s\n", round.Server, round.Round, m.Name, q.Wrong, q.complaint())
				}
			}
		}
	}
}
