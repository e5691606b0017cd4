package config

import (
	"fmt"
	"strings"
	"testing"
)

// Lists of clients have bounds of their own, with the XDP program too; what does not fit is refused with its line.
func TestListsOfClients(t *testing.T) {
	list := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "\"10.%d.%d.%d/32\",\n", i>>16&255, i>>8&255, i&255)
		}
		return "[\n" + b.String() + "]\n"
	}
	const head = "[xdp]\nmode = \"auto\"\ninterfaces = [\"eth0\"]\n"
	apart, allowed := list(1<<16), list(100_000)
	if got := problemsOf(head + "[limit]\nexempt = " + apart + "deny = " + apart + "[recursion]\nallow = " + allowed); got != "" {
		t.Errorf("long lists: %.300s", got)
	}
	for _, c := range []struct{ text, want string }{
		{"[limit]\nexempt = " + list(1<<16+1), "f:5: limit.exempt: has 65537 elements: 0 to 65536 prefixes"},
		{"[limit]\ndeny = " + list(1<<16+1), "f:5: limit.deny: has 65537 elements: 0 to 65536 prefixes"},
	} {
		if got := problemsOf(head + c.text); got != c.want+"\n" {
			t.Errorf("%.300s, want %s", got, c.want)
		}
	}
}
