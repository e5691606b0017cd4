package process

import "testing"

// The garbage that may lie about fills its room, or is a quarter of what is in use if that is more.
func TestGarbageStaysInItsRoom(t *testing.T) {
	room := uint64(12 << 20)
	p := garbagePace{room: func() uint64 { return room }}
	if percent := p.want(0); percent != mostGarbage {
		t.Errorf("beside nothing: %d %%", percent)
	}
	for live := uint64(1 << 16); live < 1<<40; live += live / 3 {
		percent := p.want(live)
		if percent < leastGarbage || percent > mostGarbage {
			t.Fatalf("beside %d bytes: %d %%", live, percent)
		}
		if garbage := live / 100 * uint64(percent); garbage > max(room, live/4) {
			t.Errorf("beside %d bytes: %d of garbage", live, garbage)
		}
	}
	before := p.want(16 << 20)
	room /= 2
	if after := p.want(16 << 20); after >= before {
		t.Errorf("half of the room: %d %%, before %d %%", after, before)
	}
}
