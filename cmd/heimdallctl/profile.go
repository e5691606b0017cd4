package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"heimdall/core/control"
)

// profileSeconds is how long each kind of profile takes if nothing else is asked for. A trace grows by megabytes a second.
var profileSeconds = map[control.ProfileKind]int{control.ProfileCPU: 10, control.ProfileHeap: 0, control.ProfileTrace: 2}

func (t *tool) profileCommand() *cobra.Command {
	var seconds int
	var file string
	cmd := &cobra.Command{
		Use:   "profile cpu|heap|trace",
		Short: "Bring a profile of the daemon for `go tool pprof`, or an execution trace for `go tool trace`",
		Long: "Have the daemon look at its own work, and write what it saw to a file: where CPU time goes (cpu),\n" +
			"what the Go heap holds (heap), or what goroutines, threads and the collector do (trace). The caches\n" +
			"lie outside of the Go heap. One profile is taken at a time; it ends before its time when it has\n" +
			"become large. A CPU profile costs about one in a hundred queries, a trace more.",
		Args:      argCount(1, 1, "cpu, heap or trace"),
		ValidArgs: []string{"cpu", "heap", "trace"},
		RunE: func(cmd *cobra.Command, args []string) error {
			kind := control.ProfileKind(args[0])
			usual, known := profileSeconds[kind]
			switch {
			case !known:
				return &usageError{fmt.Sprintf("there is no profile %q: use cpu, heap or trace", args[0]), cmd.CommandPath()}
			case !cmd.Flags().Changed("seconds"):
				seconds = usual
			case kind == control.ProfileHeap:
				return &usageError{"a heap profile takes no time: leave -seconds out", cmd.CommandPath()}
			case seconds < 1 || seconds > control.MaxProfileSeconds:
				return &usageError{fmt.Sprintf("-seconds %d: a profile takes 1 to %d", seconds, control.MaxProfileSeconds), cmd.CommandPath()}
			}
			given := file != ""
			if !given {
				file = "heimdall-" + args[0] + ".pprof"
				if kind == control.ProfileTrace {
					file = "heimdall.trace"
				}
				if _, err := os.Lstat(file); err == nil { // before the time that the profile takes
					return inTheWay(file)
				}
			}
			return t.profile(cmd.Context(), control.ProfileArgs{Kind: kind, Seconds: seconds}, file, given)
		},
	}
	cmd.Flags().IntVar(&seconds, "seconds", 0, "how long to look: 10 for cpu, 2 for trace if not given")
	cmd.Flags().StringVarP(&file, "output", "o", "", "`file` to write, - for standard output; a new heimdall-cpu.pprof or the like if not given")
	return cmd
}

func (t *tool) profile(ctx context.Context, args control.ProfileArgs, file string, given bool) error {
	t.timeout += time.Duration(args.Seconds) * time.Second
	p, err := connected(ctx, t, func(c *control.Client) (*control.Profile, error) { return c.Profile(args) })
	if err != nil {
		return err
	}
	if file == "-" {
		_, err := t.env.out.Write(p.Octets)
		return err
	}
	if err := writeFile(file, p.Octets, given); err != nil {
		return err
	}
	if t.json {
		return t.printIndented(struct {
			File  string `json:"file"`
			Bytes int    `json:"bytes"`
			Early bool   `json:"early,omitempty"`
		}{file, len(p.Octets), p.Early})
	}
	return t.printText(func(w io.Writer) {
		look := "pprof"
		if args.Kind == control.ProfileTrace {
			look = "trace"
		}
		fmt.Fprintf(w, "%s: %s; look at it with: go tool %s %s\n", file, bytesText(uint64(len(p.Octets))), look, file)
		if p.Early {
			fmt.Fprintln(w, "it had become large, and ended before its time")
		}
	})
}

// writeFile writes a file for its owner. Only a name that was given may be that of a file which is there, and none that of a
// link: root may stand in a folder where others can put one, to a file that is not to be written.
func writeFile(name string, data []byte, given bool) error {
	how := os.O_EXCL
	if given {
		how = os.O_TRUNC | noFollow
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|how, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return inTheWay(name)
	case errors.Is(err, syscall.ELOOP):
		return &fs.PathError{Op: "open", Path: name, Err: errors.New("it is a link, or behind too many: name the file itself")}
	case err != nil:
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func inTheWay(name string) error {
	return &fs.PathError{Op: "create", Path: name, Err: errors.New("it is there already: remove it, or name a file with -o")}
}
