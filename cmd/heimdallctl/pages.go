package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"heimdall/core/config"
)

// pagesCommand writes what packages install to be read: manual pages and completions. It is not for operators, so
// that the help does not list it.
func (t *tool) pagesCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:    "pages CONFIG DAEMON FOLDER",
		Short:  "Write manual pages, from config.toml and the daemon's text, and completions",
		Hidden: true,
		Args:   cobra.ExactArgs(3),
		RunE: func(_ *cobra.Command, args []string) error {
			return writePages(root, args[0], args[1], args[2])
		},
	}
}

func writePages(root *cobra.Command, manual, daemon, folder string) error {
	var text [2][]byte
	for i, path := range []string{manual, daemon} {
		var err error
		if text[i], err = os.ReadFile(path); err != nil {
			return err
		}
	}
	files := map[string][]byte{
		"heimdallctl.1":   page("heimdallctl", 1, commandPage(root)),
		"heimdalld.8":     page("heimdalld", 8, string(text[1])),
		"heimdall.toml.5": page("heimdall.toml", 5, config.ManualPage(string(text[0]))),
	}
	for name, generate := range map[string]func(*bytes.Buffer) error{
		"heimdallctl.bash": func(b *bytes.Buffer) error { return root.GenBashCompletionV2(b, true) },
		"_heimdallctl":     func(b *bytes.Buffer) error { return root.GenZshCompletion(b) },
		"heimdallctl.fish": func(b *bytes.Buffer) error { return root.GenFishCompletion(b, true) },
	} {
		var b bytes.Buffer
		if err := generate(&b); err != nil {
			return fmt.Errorf("complete %s: %w", name, err)
		}
		files[name] = b.Bytes()
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// page makes a manual page of a section from text in Markdown.
func page(name string, section int, text string) []byte {
	return md2man.Render([]byte(fmt.Sprintf("%% %s %d \"\" \"Heimdall\" \"Heimdall\"\n\n%s", strings.ToUpper(name), section, text)))
}

// commandPage is the manual page of heimdallctl in Markdown.
func commandPage(root *cobra.Command) string {
	var b strings.Builder
	first, rest, _ := strings.Cut(root.Long, "\n\n")
	exit, rest, _ := strings.Cut(rest, "\n\n")
	fmt.Fprintf(&b, "# NAME\n\nheimdallctl - %s\n\n# SYNOPSIS\n\n**%s**\n\n# DESCRIPTION\n\n%s\n\n%s\n", lowerFirst(root.Short), root.Use, first, rest)
	b.WriteString("\n# COMMANDS\n")
	writeCommands(&b, root)
	b.WriteString("\n# OPTIONS\n")
	writeFlags(&b, root.PersistentFlags())
	writeFlags(&b, root.LocalNonPersistentFlags())
	b.WriteString("\n# EXIT STATUS\n")
	// A line that starts a code is indented by two, one that goes on by more.
	for line := range strings.Lines(exit) {
		line = strings.TrimRight(line, "\n")
		if code, text, ok := strings.Cut(strings.TrimPrefix(line, "  "), "  "); strings.HasPrefix(line, "  ") && ok && code != "" {
			fmt.Fprintf(&b, "\n\n**%s**\n: %s", code, strings.TrimSpace(text))
		} else if strings.HasPrefix(line, "   ") {
			b.WriteString(" " + strings.TrimSpace(line))
		}
	}
	b.WriteString("\n\n# SEE ALSO\n\n**heimdalld**(8), **heimdall.toml**(5)\n")
	return b.String()
}

// writeCommands writes all commands below c that do something themselves.
func writeCommands(b *strings.Builder, c *cobra.Command) {
	for _, sub := range c.Commands() {
		if !sub.IsAvailableCommand() || sub.Name() == "completion" {
			continue
		}
		if sub.Runnable() && !sub.HasAvailableSubCommands() {
			text := sub.Long
			if text == "" {
				text = sub.Short + "."
			}
			use := strings.TrimPrefix(sub.CommandPath(), sub.Root().Name()+" ") + strings.TrimPrefix(sub.Use, sub.Name())
			fmt.Fprintf(b, "\n### %s\n\n%s\n", use, text)
			writeFlags(b, sub.NonInheritedFlags())
		}
		writeCommands(b, sub)
	}
}

// writeFlags writes flags as a list of terms.
func writeFlags(b *strings.Builder, flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		kind, text := pflag.UnquoteUsage(f)
		name := "-" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if kind != "" {
			name += " " + strings.ToUpper(kind)
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" {
			text += " (" + f.DefValue + ")"
		}
		fmt.Fprintf(b, "\n**%s**\n: %s\n", name, text)
	})
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }
