package supervisor

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"heimdall/core/config"
)

// A table of clients that the kernel has made and then does not let count gives no more answers where it withdraws them, and
// who has the file read again is told.
func TestRootReloadThatTheKernelDoesNotTake(t *testing.T) {
	ti := newTiers(t, 1232)
	x := &xdp{s: &Supervisor{log: slog.New(slog.DiscardHandler)}, program: ti.program}
	reload := func(prefix string) error {
		c := config.Default()
		c.Recursion.Allow = []netip.Prefix{netip.MustParsePrefix(prefix)}
		change, err := x.prepare(c)
		if err != nil {
			t.Fatal(err)
		}
		return x.apply(c, change)
	}
	if err := reload("198.51.100.0/24"); err != nil {
		t.Fatal(err)
	}
	if err := ti.program.Close(); err != nil { // nothing can be changed from now on
		t.Fatal(err)
	}
	err := reload("198.51.100.128/25")
	if err == nil || !strings.Contains(err.Error(), "hot answers are withheld") {
		t.Errorf("%v", err)
	}
	if table := ti.program.ClientTable(); table.Failures != 1 || !table.Withheld {
		t.Errorf("%+v", table)
	}
}

// A late shard may have given answers of before to the kernel until it is up to date: then they are not given any more.
func TestRootLateShardsAnswersAreFlushed(t *testing.T) {
	r, ti := newRig(t), newTiers(t, 1232)
	r.xdp = &xdp{s: r.Supervisor, program: ti.program}
	before := ti.program.Generation()
	r.catchUp(r.workers()[0])
	if after := ti.program.Generation(); after == before {
		t.Errorf("the kernel's answers are still of generation %d", before)
	}
}
