package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// kernels returns the lines of .ci/kernels of one kind, without it.
func kernels(t *testing.T, kind string) (list [][]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", ".ci", "kernels"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 0 && f[0] == kind {
			list = append(list, f[1:])
		}
	}
	return list
}

// The README's table of kernels has those that `make test-kernels` boots, no other in their name, and what they lack.
func TestKernelsTable(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n### Kernels\n")
	section, _, _ = strings.Cut(section, "\n## ")
	if !found {
		t.Fatal("the README has no section on kernels")
	}
	lacks := map[string]string{}
	for _, f := range kernels(t, "lacks") {
		lacks[f[0]] += strings.Join(f[3:], " ")
	}
	var want, got []string
	for _, f := range kernels(t, "kernel") {
		want = append(want, strings.Join([]string{f[0], strings.Join(f[1:], " "), "`make test-kernels`", lacks[f[0]]}, " | "))
		delete(lacks, f[0])
	}
	for release := range lacks {
		t.Errorf("%s lacks something and is not booted", release)
	}
	for line := range strings.Lines(section) {
		if cells := strings.Split(strings.TrimSpace(line), "|"); len(cells) > 1 && !strings.Contains(line, "---") && !strings.Contains(line, "| Linux |") {
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			if row := strings.Join(cells[1:len(cells)-1], " | "); !strings.Contains(row, "`make test`") {
				got = append(got, row)
			}
		}
	}
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("the README says\n%s\n.ci/kernels says\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The tests of the daemon that are run in each kernel exist.
func TestKernelsRunWhatExists(t *testing.T) {
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, ".ci", "test-kernels"))
	if err != nil {
		t.Fatal(err)
	}
	patterns := regexp.MustCompile(`(?m)^[a-z]+='\^TestRoot\(([A-Za-z|]+)\)\$'`).FindAllSubmatch(text, -1)
	if len(patterns) != 2 {
		t.Fatalf("%d patterns of tests", len(patterns))
	}
	known := testsOf(t, root)
	for _, pattern := range patterns {
		for name := range strings.SplitSeq(string(pattern[1]), "|") {
			if id := "cmd/heimdalld.TestRoot" + name; !known[id] {
				t.Errorf("there is no test %s", id)
			}
		}
	}
}

// Whatever goes wrong in a kernel fails the run.
func TestKernelVerdicts(t *testing.T) {
	missing := kernels(t, "lacks")
	if len(missing) == 0 {
		t.Fatal("no kernel lacks anything: take another example")
	}
	release, program, skipped := missing[0][0], missing[0][1], missing[0][2]
	good := "@start " + release + ".0-amd64\n@run " + program + "\n=== RUN   TestA\n--- PASS: TestA (0.01s)\n--- SKIP: " + skipped + " (0.02s)\nPASS\n@exit 0 " + program + "\n@end\n"
	for _, c := range []struct{ name, release, old, new, want string }{
		{"all is well", release, "", "", ""},
		{"serial lines", release, "\n", "\r\n", ""},
		{"a test fails", release, "PASS: TestA", "FAIL: TestA", program + ".TestA"},
		{"what a failed test has said", release, "--- PASS: TestA", "    a_test.go:7: it was 3\n--- FAIL: TestA", "it was 3"},
		{"a part of a test fails", release, "PASS\n", "    --- FAIL: TestA/part (0.01s)\n", program + ".TestA/part"},
		{"another test skips", release, "PASS\n", "--- SKIP: TestB (0.01s)\n", program + ".TestB skips"},
		{"a part of a test skips", release, "PASS\n", "    --- SKIP: TestA/part (0.01s)\n", program + ".TestA/part skips"},
		{"it skips in a kernel that does not lack it", "1.0", "", "", skipped + " skips"},
		{"it does not skip", release, "SKIP", "PASS", skipped + " does not skip"},
		{"a program ends with an error", release, "@exit 0", "@exit 2", "ended with 2"},
		{"a program runs no test", release, "--- PASS: TestA (0.01s)\n", "", "ran no test"},
		{"a program does not end", release, "@exit 0 " + program + "\n", "", "does not come to its end"},
		{"a test panics", release, "PASS\n", "panic: runtime error\n", "runtime error"},
		{"the kernel has a fault", release, "@end", "@kernel BUG: sleeping function\n@end", "BUG: sleeping function"},
		{"the kernel hangs", release, "@end\n", "", "hangs"},
		{"the kernel does not start", release, good, "", "first test"},
		{"there are no tests", release, good, "@start 1\n@end\n", "no tests"},
	} {
		file := filepath.Join(t.TempDir(), "out")
		text := good
		if c.old != "" {
			text = strings.ReplaceAll(good, c.old, c.new)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("awk", "-f", filepath.Join(".ci", "judge-kernel"), c.release, file)
		cmd.Dir = filepath.Join("..", "..")
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		if failed := err != nil; failed != (c.want != "") || failed != strings.Contains(string(out), "FAIL") || !strings.Contains(string(out), c.want) {
			t.Errorf("%s: %v, want %q:\n%s", c.name, err, c.want, out)
		}
	}
}
