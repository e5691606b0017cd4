package supervisor

import (
	"testing"

	"heimdall/core/config"
)

// The garbage that may lie about is a quarter of what is documented, or of what is in use if that is more.
func TestGarbageStaysInItsRoom(t *testing.T) {
	c := config.Default()
	room := garbageRoom(c)
	if documented := uint64(16<<20+4096*5/4*(6<<10)+16384*512+8<<20+512<<10) / 4; room != documented {
		t.Errorf("%d bytes of garbage, documented are %d", room, documented)
	}
	if p := garbagePercent(0, room); p != mostGarbage {
		t.Errorf("beside nothing: %d %%", p)
	}
	for live := uint64(1 << 16); live < 1<<40; live += live / 3 {
		p := garbagePercent(live, room)
		if p < leastGarbage || p > mostGarbage {
			t.Fatalf("beside %d bytes: %d %%", live, p)
		}
		if garbage := live / 100 * uint64(p); garbage > max(room, live/4) {
			t.Errorf("beside %d bytes: %d of garbage", live, garbage)
		}
	}
	p := garbagePace{config: func() *config.Config { return c }}
	before := p.want(16 << 20)
	next := *c
	next.Recursion.Validation = false
	c = &next
	if after := p.want(16 << 20); after >= before {
		t.Errorf("a reload has turned validation off: %d %%, before %d %%", after, before)
	}
	c.Recursion.Enabled = false
	if less := garbageRoom(c); less >= room {
		t.Errorf("without recursion: %d bytes", less)
	}
}
