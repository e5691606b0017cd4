package hot

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"heimdall/ebpf"
)

// A table of clients that the kernel has made and then does not let count gives no more answers where it withdraws them, and
// who has the file read again is told.
func TestRootReloadThatTheKernelDoesNotTake(t *testing.T) {
	ti := newTiers(t, 1232)
	tier := &Tier{o: Options{Log: slog.New(slog.DiscardHandler)}, program: ti.program}
	reload := func(prefix string) error {
		change, err := tier.Prepare(Rules{Payload: 1232, Clients: ebpf.Clients{Ask: []netip.Prefix{netip.MustParsePrefix(prefix)}}})
		if err != nil {
			t.Fatal(err)
		}
		return change.Apply()
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
