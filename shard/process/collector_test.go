package process

import "testing"

// The garbage that may lie about fills its room, or is a quarter of what is in use if that is more.
func TestGarbageStaysInItsRoom(t *testing.T) {
	room := uint64(12 << 20)
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
	p := garbagePace{room: func() uint64 { return room }}
	before := p.want(16 << 20)
	room /= 2
	if after := p.want(16 << 20); after >= before {
		t.Errorf("half of the room: %d %%, before %d %%", after, before)
	}
}
