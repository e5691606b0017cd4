package main

import (
	"os"
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
	l := startLink(t, "generic", "")
	text, err := os.ReadFile(l.d.config)
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.Replace(string(text), "answer_cache = false", "answer_cache = true\nanswer_min_hits = 1", 1))
	if err := os.WriteFile(l.d.config, text, 0o644); err != nil {
		t.Fatal(err)
	}
	var out control.Reload
	l.d.ctlJSON(&out, "reload")
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
	if code := l.d.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
