package settings

import (
	"testing"

	"heimdall/core/config"
)

// What decides about answers makes another hash, and nothing else does.
func TestDecides(t *testing.T) {
	load := func(text string) *config.Config {
		t.Helper()
		c, problems := config.Load("config.toml", []byte(text))
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	base := Decides(load(""), [32]byte{})
	for text, same := range map[string]bool{
		"[cache]\nmemory = \"1GiB\"\nfile = \"cache\"\n": true,
		"[cpu]\nshards = 2\n":                            true,
		"[server]\nlisten = [\"127.0.0.1:5300\"]\n":      true,
		"[recursion]\nallow = [\"192.0.2.0/24\"]\n":      true,
		"[dnstap]\n":                        true,
		"[recursion]\nvalidation = false\n": false,
		"[recursion]\nnegative_trust_anchors = [\"example.\"]\n":     false,
		"[recursion]\nquery_loopback = true\n":                       false,
		"[local]\nspecial_names = false\n":                           false,
		"[[forward]]\nzone = \"a.\"\nservers = [\"192.0.2.1:53\"]\n": false,
		"[[forward]]\nzone = \"a.\"\nservers = [\"192.0.2.2:53\"]\n": false,
		"[[zone]]\nname = \"a.\"\nfile = \"a.zone\"\n":               false,
	} {
		if got := Decides(load(text), [32]byte{}); (got == base) != same {
			t.Errorf("%s: the same hash is %v", text, got == base)
		}
	}
	if Decides(load(""), [32]byte{1}) == base {
		t.Error("other trust anchors make no other hash")
	}
}
