package health

import (
	"testing"

	"heimdall/core/wire"
)

// While the shard's own question is under way, and after it has failed, only one that ends well tells that the shard
// resolves again. One that could not be asked tells nothing.
func TestToldAfterFailure(t *testing.T) {
	asked := func(got *reply) *question {
		q := &question{done: make(chan struct{})}
		if got != nil {
			q.end(*got)
		}
		return q
	}
	for name, c := range map[string]struct {
		asked *question
		told  bool
	}{
		"nothing asked": {nil, true},
		"under way":     {asked(nil), false},
		"failed":        {asked(&reply{rcode: wire.RcodeServFail}), false},
		"stale":         {asked(&reply{stale: true}), false},
		"no room":       {asked(&reply{why: "it has no room for a question"}), true},
		"well":          {asked(&reply{}), true},
	} {
		r := recursion{asked: c.asked}
		if got := r.told(3, 3); got != c.told || r.answered != c.told {
			t.Errorf("%s: %v, answered %v; want %v", name, got, r.answered, c.told)
		}
	}
	r := recursion{}
	if r.told(0, 3) || r.answered {
		t.Error("answers that nobody else gave tell of others")
	}
	r.answered = true
	if !r.told(tooSilent, 0) || r.told(1, 0) {
		t.Error("silence does not make it ask")
	}
}
