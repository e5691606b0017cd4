package settings

import (
	"testing"

	"heimdall/core/config"
)

// The garbage that may lie about is a quarter of the memory that is documented.
func TestGarbageRoom(t *testing.T) {
	c := config.Default()
	room := GarbageRoom(c)
	if documented := uint64(16<<20+4096*5/4*(6<<10)+16384*512+8<<20+512<<10) / 4; room != documented {
		t.Errorf("%d bytes of garbage, documented are %d", room, documented)
	}
	c.Recursion.Validation = false
	unvalidated := GarbageRoom(c)
	c.Recursion.Enabled = false
	if less := GarbageRoom(c); unvalidated >= room || less >= unvalidated {
		t.Errorf("%d bytes, without validation %d, without recursion %d", room, unvalidated, less)
	}
}
