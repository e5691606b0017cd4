package ebpf

import (
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/cilium/ebpf"
)

// The kernel gives up on a program when the verifier has processed a million instructions. How many it takes differs
// from one kernel to the next: the programs stay far below.
func TestRootVerifierEffort(t *testing.T) {
	const most = 100_000
	xdp, err := loadXdp()
	if err != nil {
		t.Fatal(err)
	}
	if err := prepare(xdp, Options{Epoch: time.Now(), Entries: 1000, Reverse: ReverseStrict, barriers: true}, newQuestionKeys(Seed{1})); err != nil {
		t.Fatal(err)
	}
	steer, err := loadSteer()
	if err != nil {
		t.Fatal(err)
	}
	if err := steer.Variables[steerVarBy].Set(uint32(ByName)); err != nil { // what the verifier knows never to run costs it nothing
		t.Fatal(err)
	}
	for name, spec := range map[string]*ebpf.CollectionSpec{"heimdall": xdp, "steer": steer} {
		all, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{Programs: ebpf.ProgramOptions{LogLevel: ebpf.LogLevelStats}})
		if err != nil {
			skipIfUnsupported(t, explain("load", err))
			t.Fatal(err)
		}
		log := all.Programs[name].VerifierLog
		all.Close()
		found := regexp.MustCompile(`processed (\d+) insns`).FindStringSubmatch(log)
		if found == nil {
			t.Fatalf("%s: the verifier does not say what it has processed: %q", name, log)
		}
		n, _ := strconv.Atoi(found[1])
		t.Logf("%s: %d instructions processed", name, n)
		if n > most {
			t.Errorf("%s: the verifier processed %d instructions, want %d at most", name, n, most)
		}
	}
}
