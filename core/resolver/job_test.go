package resolver

import (
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/wire"
)

// When nobody can verify, clients hear so at once.
func TestNoRoomForJobs(t *testing.T) {
	w := newSignedWorld(t, nil)
	w.busy = true
	a, m := w.resolve(question("www.example.test.", wire.TypeA))
	if m.Rcode != dns.RcodeServerFailure || a.EDEText == "" || w.m.Stats().JobsRefused == 0 {
		t.Errorf("%v %q", m.Rcode, a.EDEText)
	}
	if a, m := w.resolve(question("www.plain.test.", wire.TypeA)); m.Rcode != dns.RcodeServerFailure {
		t.Errorf("unsigned, but nobody knows: %v (%s)", m.Rcode, a.EDEText)
	}
	w.busy = false
	w.run(time.Minute)
	if a, _ := w.resolve(question("www.example.test.", wire.TypeA)); !a.AD {
		t.Errorf("with room: AD %v (%s)", a.AD, a.EDEText)
	}
	w.idle()
}

// A verdict that comes after the end of its task changes nothing.
func TestLateVerdict(t *testing.T) {
	w := newSignedWorld(t, nil)
	w.hold = true
	w.begin(question("www.example.test.", wire.TypeA), 1)
	w.run(time.Second)
	for _, held := range w.held {
		if held.Job.Run(signedAt, nil, nil); !held.Job.Done() {
			t.Error("a job that a task waits for was not run")
		}
	}
	w.run(time.Minute)
	if a, ok := w.answers[1]; !ok || a.Rcode != dns.RcodeServerFailure || !a.Failed || len(w.held) == 0 {
		t.Fatalf("%+v, %d jobs", a, len(w.held))
	}
	for _, held := range w.held {
		w.m.Verified(int64(w.now), held.Ref, held.Job)
		w.perform()
	}
	w.hold = false
	w.idle()
}

// A job whose task has ended before a thread comes to it costs no check, and is not counted as refused.
func TestJobsOfEndedTasksAreSkipped(t *testing.T) {
	w := newSignedWorld(t, nil)
	w.hold = true
	if a, m := w.resolve(question("www.example.test.", wire.TypeA)); m.Rcode != dns.RcodeServerFailure || !a.Failed || len(w.held) == 0 {
		t.Fatalf("%v, %d jobs", m.Rcode, len(w.held))
	}
	refused := w.m.Stats().JobsRefused
	for _, held := range w.held {
		memo := &countingMemo{}
		if held.Job.Run(signedAt, memo, nil); held.Job.Done() || memo.checks > 0 {
			t.Errorf("the job was run: done %v, %d checks", held.Job.Done(), memo.checks)
		}
		w.m.Verified(int64(w.now), held.Ref, held.Job)
		w.perform()
	}
	if n := w.m.Stats().JobsRefused; n != refused {
		t.Errorf("%d jobs more count as refused", n-refused)
	}
	w.hold = false
	w.run(time.Minute)
	if a, _ := w.resolve(question("www.example.test.", wire.TypeA)); !a.AD {
		t.Errorf("afterwards: AD %v (%s)", a.AD, a.EDEText)
	}
	w.idle()
}
