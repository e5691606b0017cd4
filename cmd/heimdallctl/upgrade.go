package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"heimdall/core/control"
)

// answerWithin is how much longer than the new process may take heimdallctl waits for the daemon's answer.
const answerWithin = 30 * time.Second

func (t *tool) upgradeCommand() *cobra.Command {
	within := 2 * time.Minute
	upgrade := &cobra.Command{
		Use:   "upgrade",
		Short: "Replace the running daemon by the binary that is installed now, without losing a query",
		Long: `Start the binary that is installed now, in the place of the daemon's own, with the same arguments. The new process takes over the
sockets, the clients' connections and the steering; when it serves, the old one answers what it has and ends. If the new one does
not start, the old one goes on serving, and this command tells why. Only root and the daemon's own user may do it.`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			seconds := int((within + time.Second - 1) / time.Second)
			if seconds < 1 || seconds > control.MaxUpgrade {
				return &usageError{fmt.Sprintf("-within %v: from 1s to %v", within, control.MaxUpgrade*time.Second), cmd.CommandPath()}
			}
			t.timeout = max(t.timeout, within+answerWithin)
			_, err := ask(cmd.Context(), t, control.CommandUpgrade, control.UpgradeArgs{Within: seconds}, showUpgrade)
			return err
		},
	}
	upgrade.Flags().DurationVar(&within, "within", within, "how long the new process may take until it serves")
	return upgrade
}

func showUpgrade(w io.Writer, u *control.Upgrade) {
	fmt.Fprintf(w, "upgraded from %s to %s: process %d serves with %d shards, after %.1f s\n", u.Before, u.Version, u.PID, u.Shards, u.TookSeconds)
}
