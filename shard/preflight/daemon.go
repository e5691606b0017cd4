package preflight

import "strings"

// network tells whether the daemon has routes to the servers that it asks.
func network(i *inspector, r reporter) {
	if i.Daemon != nil {
		told(r, i.Daemon.Network, "a route leads to the servers that are asked")
	}
}

// rightClock tells whether the daemon finds signatures of another time.
func rightClock(i *inspector, r reporter) {
	if i.Daemon != nil {
		told(r, i.Daemon.Clock, "no signature says that it is wrong")
	}
}

// told reports what the daemon has found wrong, of which the last part says what to do.
func told(r reporter, wrong, right string) {
	if wrong == "" {
		r(OK, right, "", "")
		return
	}
	found, advice := wrong, ""
	if at := strings.LastIndex(wrong, ": "); at >= 0 {
		found, advice = wrong[:at], wrong[at+2:]
	}
	r(Fail, found, advice, "")
}
