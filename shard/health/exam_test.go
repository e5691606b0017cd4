package health

import (
	"context"
	"testing"
)

// A shard that has answered in time is not taken for stuck because another one is, for which the time has passed.
func TestAwaitsFoundAfterTime(t *testing.T) {
	late, cancel := context.WithCancel(t.Context())
	cancel()
	found := make(chan *exam, 1)
	for range 100 {
		want := new(exam)
		found <- want
		if got := await(late, found); got != want {
			t.Fatal("what was found is not taken")
		}
	}
	if await(late, found) != nil {
		t.Error("something is found where nothing is")
	}
}
