package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
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

// table returns the rows of a table of the README's section on kernels, which has that head. Cells are parted by " | ".
func table(t *testing.T, head string) (rows []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n### Kernels\n")
	section, _, _ = strings.Cut(section, "\n## ")
	_, body, found := strings.Cut(section, "\n"+head+"\n|---")
	if !found {
		t.Fatalf("the README's section on kernels has no table %s", head)
	}
	_, body, _ = strings.Cut(body, "\n")
	body, _, _ = strings.Cut(body, "\n\n")
	for line := range strings.Lines(body) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, strings.Join(cells, " | "))
	}
	return rows
}

// The README's tables have the kernels that `make test-kernels` boots, no other in its name, what they lack, and what is
// run in them, all as .ci/kernels says; .ci/judge-kernel sees to it that this is what is run.
func TestKernelsTable(t *testing.T) {
	var booted, run []string
	for _, f := range kernels(t, "kernel") {
		var lack []string
		for _, l := range kernels(t, "lacks") {
			if l[0] == "all" || slices.Contains(strings.Split(l[0], ","), f[0]) || slices.Contains(strings.Split(l[0], ","), f[0]+"/"+f[1]) {
				lack = append(lack, strings.Join(l[3:], " "))
			}
		}
		booted = append(booted, strings.Join([]string{f[0], f[1], strings.Join(f[2:], " "), "`make test-kernels`", strings.Join(lack, "; ")}, " | "))
	}
	for _, f := range kernels(t, "runs") {
		run = append(run, "`"+strings.ReplaceAll(f[0], ",", "`, `")+"` | "+strings.ReplaceAll(f[1], ",", ", ")+" | "+strings.Join(f[2:], " "))
	}
	rows := slices.DeleteFunc(table(t, "| Linux | CPUs | of | run by | lacks |"), func(row string) bool {
		return !strings.Contains(row, "`make test-kernels`")
	})
	if len(booted) == 0 || !slices.Equal(rows, booted) {
		t.Errorf("the README says\n%s\n.ci/kernels says\n%s", strings.Join(rows, "\n"), strings.Join(booted, "\n"))
	}
	if rows := table(t, "| tests | on | of |"); len(run) == 0 || !slices.Equal(rows, run) {
		t.Errorf("the README says\n%s\n.ci/kernels says\n%s", strings.Join(rows, "\n"), strings.Join(run, "\n"))
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
	if len(patterns) < 2 {
		t.Fatalf("%d patterns of tests", len(patterns))
	}
	known := testsOf(t, root)
	for _, alone := range regexp.MustCompile(`(?m)^[a-z]+='\^(TestExternal)\(?([A-Za-z|]+)\)?\$'`).FindAllSubmatch(text, -1) {
		for name := range strings.SplitSeq(string(alone[2]), "|") {
			if id := "cmd/heimdalld.TestExternal" + name; !known[id] {
				t.Errorf("there is no test %s", id)
			}
		}
	}
	for _, pattern := range patterns {
		for name := range strings.SplitSeq(string(pattern[1]), "|") {
			if id := "cmd/heimdalld.TestRoot" + name; !known[id] {
				t.Errorf("there is no test %s", id)
			}
		}
	}
}

// The test programs that are built for the kernels are those of .ci/kernels.
func TestKernelsRunAllThatIsBuilt(t *testing.T) {
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, ".ci", "test-kernels"))
	if err != nil {
		t.Fatal(err)
	}
	built := map[string]bool{}
	for _, line := range regexp.MustCompile(`(?m)go test -c .*? (\./.*)$`).FindAllSubmatch(text, -1) {
		for pattern := range strings.FieldsSeq(string(line[1])) {
			dir, below := strings.CutSuffix(filepath.Join(root, pattern), "/...")
			filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
				if strings.HasSuffix(path, "_test.go") && err == nil && (below || filepath.Dir(path) == dir) {
					built[filepath.Base(filepath.Dir(path))] = true
				}
				return err
			})
		}
	}
	listed := map[string]bool{}
	for _, f := range kernels(t, "runs") {
		for name := range strings.SplitSeq(f[0], ",") {
			listed[name] = true
		}
	}
	for name := range built {
		if !listed[name] {
			t.Errorf(".ci/kernels does not say where %s is run", name)
		}
	}
	if len(built) < 2 {
		t.Errorf("built are %v", built)
	}
}

// Whatever goes wrong in a kernel fails the run.
func TestKernelVerdicts(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, ".ci"), 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	write(".ci/kernels", "kernel 7.1 x86-64 A\nruns first,second all x\nruns other x86-64,7.2/arm64 y\nlacks 7.1 first TestB a thing\n")
	run := func(program, lines string) string {
		return "@run " + program + "\n=== RUN   TestA\n--- PASS: TestA (0.01s)\n" + lines + "PASS\n@exit 0 " + program + "\n"
	}
	const skips = "--- SKIP: TestB (0.02s)\n"
	start, end := "@start 7.1.0-amd64\n", "@end\n"
	good := start + run("first", skips) + run("second", "") + run("other", "") + end
	for _, c := range []struct{ name, kernel, old, new, want string }{
		{"all is well", "7.1/x86-64", "", "", ""},
		{"on two machines", "7.1/x86-64", "@run second", "@end\n@@" + start + "@run second", ""},
		{"serial lines", "7.1/x86-64", "\n", "\r\n", ""},
		{"a test fails", "7.1/x86-64", "PASS: TestA", "FAIL: TestA", "first.TestA"},
		{"what a failed test has said", "7.1/x86-64", "--- PASS: TestA", "    a_test.go:7: it was 3\n--- FAIL: TestA", "it was 3"},
		{"a part of a test fails", "7.1/x86-64", "PASS\n", "    --- FAIL: TestA/part (0.01s)\n", "first.TestA/part"},
		{"another test skips", "7.1/x86-64", "PASS\n", "--- SKIP: TestC (0.01s)\n", "first.TestC skips"},
		{"a part of a test skips", "7.1/x86-64", "PASS\n", "    --- SKIP: TestA/part (0.01s)\n", "first.TestA/part skips"},
		{"it skips in a kernel that does not lack it", "7.2/x86-64", "", "", "first.TestB skips"},
		{"it does not skip", "7.1/x86-64", "SKIP", "PASS", "first.TestB does not skip"},
		{"a program ends with an error", "7.1/x86-64", "@exit 0 second", "@exit 2 second", "second ended with 2"},
		{"a program runs no test", "7.1/x86-64", "--- PASS: TestA (0.01s)\n", "", "ran no test"},
		{"a program does not end", "7.1/x86-64", "@exit 0 second\n", "", "second does not come to its end"},
		{"a program does not end, on the first machine", "7.1/x86-64", "@exit 0 first\n", "@@" + start, "first does not come to its end"},
		{"a program is not run", "7.1/x86-64", run("second", ""), "", "second is not run"},
		{"one that is for other CPUs", "7.1/arm64", "", "", "does not say that other is run"},
		{"one that is for these CPUs", "7.1/x86-64", run("other", ""), "", "other is not run"},
		{"one that nobody has named", "7.1/x86-64", "@end", run("more", "") + "@end", "does not say that more is run"},
		{"a test panics", "7.1/x86-64", "PASS\n", "panic: runtime error\n", "runtime error"},
		{"the kernel has a fault", "7.1/x86-64", "@end", "@kernel BUG: sleeping function\n@end", "BUG: sleeping function"},
		{"the kernel hangs", "7.1/x86-64", end, "", "hangs"},
		{"the kernel does not start", "7.1/x86-64", good, "", "first test"},
		{"one machine does not start", "7.1/x86-64", end, end + "@@", "first test"},
		{"there are no tests", "7.1/x86-64", good, "@start 1\n@end\n", "no tests"},
	} {
		text := good
		if c.old != "" {
			text = strings.ReplaceAll(good, c.old, c.new)
		}
		judge, err := filepath.Abs(filepath.Join("..", "..", ".ci", "judge-kernel"))
		if err != nil {
			t.Fatal(err)
		}
		args := []string{"-f", judge, c.kernel}
		for i, output := range strings.Split(text, "@@") {
			args = append(args, write(strconv.Itoa(i), output))
		}
		cmd := exec.Command("awk", args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		if failed := err != nil; failed != (c.want != "") || failed != strings.Contains(string(out), "FAIL") || !strings.Contains(string(out), c.want) {
			t.Errorf("%s: %v, want %q:\n%s", c.name, err, c.want, out)
		}
	}
}
