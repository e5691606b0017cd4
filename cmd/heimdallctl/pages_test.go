package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Every command, every key and every flag of the daemon is in its manual page, and shells can read the completions.
func TestPages(t *testing.T) {
	folder := t.TempDir()
	daemon := filepath.Join("..", "heimdalld", "dist", "heimdalld.8.md")
	manual := filepath.Join("..", "..", "config.toml")
	tool := &tool{env: &environment{socket: "heimdall.sock"}}
	root := tool.command()
	if err := writePages(root, manual, daemon, folder); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return strings.NewReplacer(`\-`, "-", `\fB`, "", `\fP`, "", `\[`, "[", `\]`, "]").Replace(string(text))
	}

	page := read("heimdallctl.1")
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			if !sub.IsAvailableCommand() {
				continue
			}
			if name := strings.TrimPrefix(sub.CommandPath(), "heimdallctl "); sub.Runnable() && !sub.HasSubCommands() && !strings.Contains(page, "\n.SS "+name) {
				t.Errorf("heimdallctl(1) lacks %s", name)
			}
			walk(sub)
		}
	}
	walk(root)
	for _, line := range []string{".SH EXIT STATUS", "no daemon answers at the socket", "-socket SOCKET", ".SS cache lookup NAME TYPE"} {
		if !strings.Contains(page, line) {
			t.Errorf("heimdallctl(1) lacks %q", line)
		}
	}
	if strings.Contains(page, "pages CONFIG") {
		t.Error("heimdallctl(1) has what is not for operators")
	}

	page = read("heimdall.toml.5")
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		if name, _, _ := strings.Cut(line, " #"); !strings.Contains(page, name) {
			t.Errorf("heimdall.toml(5) lacks %q", line)
		}
	}
	for _, line := range []string{"Range: 1 to 1024 datagrams. Reload: no.", "zone = \"corp.example.\"", ".SH [tcp]"} {
		if !strings.Contains(page, line) {
			t.Errorf("heimdall.toml(5) lacks %q", line)
		}
	}

	page = read("heimdalld.8")
	for _, line := range []string{"-config", "-check", "-log", "-version", "SIGHUP", "SIGTERM"} {
		if !strings.Contains(page, line) {
			t.Errorf("heimdalld(8) lacks %s", line)
		}
	}
	if out, err := exec.Command("bash", "-n", filepath.Join(folder, "heimdallctl.bash")).CombinedOutput(); err != nil {
		t.Errorf("completions of bash: %v: %s", err, out)
	}
	for _, name := range []string{"_heimdallctl", "heimdallctl.fish"} {
		if !strings.Contains(read(name), "heimdallctl") {
			t.Errorf("%s completes nothing", name)
		}
	}
}
