package config

import (
	"fmt"
	"strings"
	"testing"
)

// What is no TOML is told in words of ours: with the line, the key, and what is wanted.
func TestSyntaxInOurWords(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"[server]\nlisten = 127.0.0.1:53\n", `f:2: server.listen: 127.0.0.1:53 is no number; a text, such as an address, needs quotes; want a list of addresses`},
		{"[cache]\nprefetch = 01\n", "f:2: cache.prefetch: 01 is no number: digits, without a zero before them; a text needs quotes; want a number of percent"},
		{"[cpu]\npin = tru\n", "f:2: cpu.pin: the value is missing, or it is a text without quotes; want true or false"},
		{"[cpu]\npin =\n", "f:2: cpu.pin: the value is missing"},
		{"[server]\nversion = \"x\n", "f:2: server.version: the quotes that begin a text are not closed in its line; want a text in quotes"},
		{"[server]\nversion = \"\\q\"\n", "f:2: server.version: a backslash"},
		{"[recursion]\nvalidation_time = 2026-13-01\n", "f:2: recursion.validation_time: 2026-13-01 is no time; a text needs quotes; want a time in quotes"},
		{"[server]\nlisten = [\"127.0.0.1:53\" \"[::1]:53\"]\n", "f:2: server.listen: a comma between two elements"},
		{"[cpu\npin = true\n", "f:1: cpu: the bracket that closes"},
		{"[cpu]\npin = true shards = 1\n", "f:2: cpu.pin: a line has one key and its value"},
		{"[cpu]\npin\n", "f:2: cpu.pin: want a key and a value"},
	} {
		_, problems := Parse("f", []byte(c.text))
		if len(problems) == 0 || !strings.HasPrefix(problems[0].Error(), c.want) {
			t.Errorf("%q: %v, want %s", c.text, problems, c.want)
		}
	}
	for _, word := range []string{"1.", "0x", "1e", "1__2", "1_", "+", "nan0", "{x=1", "'x", "[1 2]", "-", "1979-05-27T"} {
		if _, problems := Parse("f", fmt.Appendf(nil, "[cache]\nprefetch = %s\n", word)); len(problems) == 0 || strings.Contains(problems[0].Error(), "nvalid ") || strings.Contains(problems[0].Error(), "expected") {
			t.Errorf("%s: %v", word, problems)
		}
	}
}
