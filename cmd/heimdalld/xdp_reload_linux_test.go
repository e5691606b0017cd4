package main

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"heimdall/core/control"
)

// Hot answers wait for a restart when a reload turns them on, and the daemon goes on as it was: the table for them was
// not made.
func TestRootReloadTurnsHotAnswersOn(t *testing.T) {
	l := newLimitLab(t, "generic", "")
	l.writeFile(t, "config.toml", strings.Replace(limitConfig("generic", ""), "answer_cache = false", "answer_cache = true\nanswer_min_hits = 1", 1))
	var out control.Reload
	l.ctlJSON(&out, "reload")
	for _, key := range []string{"xdp.answer_cache", "xdp.answer_min_hits"} {
		if !slices.Contains(out.NeedsRestart, key) {
			t.Errorf("%s needs no restart: %+v", key, out)
		}
	}
	for range 5 {
		if full, _ := l.answered("udp", "192.0.2.2", 10, patience); full != 10 {
			t.Errorf("%d of 10 answers", full)
		}
		time.Sleep(20 * time.Millisecond) // the publisher would look so often
	}
	if by := l.exits(); by["pass_disabled"] != 50 || by["send_answer"] != 0 {
		t.Errorf("answers are not off in the kernel: %v", by)
	}
	if code := l.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
