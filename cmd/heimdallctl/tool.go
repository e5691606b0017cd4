package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"heimdall/core/config"
	"heimdall/core/control"
)

// tool is one run of the program.
type tool struct {
	env     *environment
	socket  string
	json    bool
	timeout time.Duration
}

const longHelp = `heimdallctl looks into a running heimdalld and changes it.

Exit codes:
  0  done
  1  the daemon refused or failed, or what was looked up is not there, or a
     zone was not loaded; diff: a reload would change something
  2  the command line makes no sense; diff: the configuration has errors
  3  no daemon answers at the socket

Long flags may be written with one dash or two. HEIMDALL_SOCKET in the
environment stands for -socket.`

// command builds the command tree.
func (t *tool) command() *cobra.Command {
	var showVersion bool
	root := &cobra.Command{
		Use:           "heimdallctl [-socket PATH] [-json] COMMAND",
		Short:         "Look into a running heimdalld and change it",
		Long:          longHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if showVersion {
				return t.printVersion()
			}
			return &usageError{"a command is missing", cmd.CommandPath()}
		},
	}
	root.Flags().BoolVarP(&showVersion, "version", "v", false, "print the version of heimdallctl; that of the daemon is in status")
	flags := root.PersistentFlags()
	flags.StringVar(&t.socket, "socket", t.env.socket, "administration `socket` of the daemon (admin.socket in its configuration)")
	flags.BoolVar(&t.json, "json", false, "print the data as JSON")
	flags.DurationVar(&t.timeout, "timeout", 10*time.Second, "how long to wait for the daemon")
	root.AddCommand(
		t.simple("status", "Show the daemon as a whole", t.status),
		t.simple("health", "Tell whether this server should get queries: each check, and exit code 1 if one fails", t.health),
		t.simple("shards", "Show every shard: traffic, cache hits, drops, service time", t.shards),
		t.cache(),
		t.simple("upstreams", "Show the servers that are asked, and how they do", t.upstreams),
		t.simple("zones", "Show the zones that are served", t.zones),
		t.zone(),
		t.xdpCommand(),
		t.doctorCommand(),
		t.tuneCommand(),
		t.simple("reload", "Make the daemon read its configuration again", t.reload),
		t.upgradeCommand(),
		t.topCommand(),
		t.profileCommand(),
	)
	root.AddCommand(t.resolverCommands()...)
	root.AddCommand(t.diffCommand(), t.explainCommand())
	root.AddCommand(t.pagesCommand(root))
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{err.Error(), cmd.CommandPath()}
	})
	return root
}

func (t *tool) printVersion() error {
	v := config.Version(version)
	if t.json {
		return t.printIndented(struct {
			Version string `json:"version"`
		}{v})
	}
	return t.printText(func(w io.Writer) { fmt.Fprintln(w, "heimdallctl", v) })
}

// simple makes a command without arguments.
func (t *tool) simple(use, short string, do func(context.Context) error) *cobra.Command {
	return &cobra.Command{
		Use:               use,
		Short:             short,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return do(cmd.Context()) },
	}
}

// ask runs one command of the daemon. With -json its data is printed as it came
// and show is not called; otherwise show writes the text for people.
func ask[T any](ctx context.Context, t *tool, command string, args any, show func(io.Writer, *T)) (*T, error) {
	data, err := t.raw(ctx, command, args)
	if err != nil {
		return nil, err
	}
	reply := new(T)
	if err := json.Unmarshal(data, reply); err != nil {
		return nil, &unreachableError{t.socket, control.ErrProtocol}
	}
	if t.json {
		return reply, t.printJSON(data)
	}
	return reply, t.printText(func(w io.Writer) { show(w, reply) })
}

func (t *tool) printJSON(data []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err := t.env.out.Write(b.Bytes())
	return err
}

// printIndented writes v as JSON for a single look.
func (t *tool) printIndented(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return t.printJSON(data)
}

// printLine writes v as one line of JSON, for a sequence of them.
func (t *tool) printLine(v any) error { return json.NewEncoder(t.env.out).Encode(v) }

// printText writes at once what show produces, made safe for a terminal.
func (t *tool) printText(show func(io.Writer)) error {
	var b bytes.Buffer
	show(&b)
	_, err := t.env.out.Write(bytes.Map(printable, b.Bytes()))
	return err
}
