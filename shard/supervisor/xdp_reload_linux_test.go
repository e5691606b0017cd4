package supervisor

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"heimdall/core/config"
)

// A kernel that does not take a new list of clients gives no more answers where the list withdraws them, and who has
// the file read again is told.
func TestRootReloadThatTheKernelDoesNotTake(t *testing.T) {
	ti := newTiers(t, 1232)
	started := config.Default()
	s := &Supervisor{log: slog.New(slog.DiscardHandler), running: started}
	x := &xdp{s: s, program: ti.program}
	allow := func(prefix string) *config.Config {
		c := config.Default()
		c.Recursion.Allow = []netip.Prefix{netip.MustParsePrefix(prefix)}
		return c
	}
	if err := x.reload(allow("198.51.100.0/24")); err != nil {
		t.Fatal(err)
	}
	if err := ti.program.Close(); err != nil { // nothing can be changed from now on
		t.Fatal(err)
	}
	err := x.reload(allow("198.51.100.128/25"))
	if err == nil || !strings.Contains(err.Error(), "hot answers are withheld") {
		t.Errorf("%v", err)
	}
	if table := ti.program.ClientTable(); table.Failures != 1 || !table.Withheld {
		t.Errorf("%+v", table)
	}
}
