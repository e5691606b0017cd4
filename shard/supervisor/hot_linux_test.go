package supervisor

import (
	"errors"
	"testing"

	"heimdall/ebpf"
	"heimdall/shard/hot"
)

// A late shard may have given answers of before to the kernel until it is up to date: then they are not given any more.
func TestRootLateShardsAnswersAreFlushed(t *testing.T) {
	r := newRig(t)
	tier, err := hot.Load(r.hotOptions(r.config()))
	if errors.Is(err, ebpf.ErrNotSupported) && !errors.As(err, new(*ebpf.Rejection)) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	r.hot = tier // it sees no packet
	before := tier.Snapshot().Generation
	r.catchUp(r.workers()[0])
	if after := tier.Snapshot().Generation; after == before {
		t.Errorf("the kernel's answers are still of generation %d", before)
	}
}
