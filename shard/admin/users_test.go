package admin

import (
	"maps"
	"strings"
	"testing"
)

func TestUsers(t *testing.T) {
	got := parseUsers("root:x:0:0:root:/root:/bin/bash\n# no user\n+::::\n:x:7:\ntoor:x:0:0::/:\nbind:x:53:53:no end of line")
	if want := (users{0: "root", 53: "bind"}); !maps.Equal(got, want) {
		t.Errorf("users %v, want %v", got, want)
	}
	if readUsers("/nonexistent") != nil {
		t.Error("users without a file")
	}
}

// FuzzUsers asserts that a name is one that the text has at the start of a line.
func FuzzUsers(f *testing.F) {
	f.Add("root:x:0:0:root:/root:/bin/bash\nbind:x:53:53\n")
	f.Add("a:b:4294967296\n:::")
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range parseUsers(text) {
			if name == "" || strings.ContainsAny(name, ":\n") || !strings.Contains("\n"+text, "\n"+name+":") {
				t.Errorf("user %q of %q", name, text)
			}
		}
	})
}
