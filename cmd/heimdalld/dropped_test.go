package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// A forwarder that is silent to some names is asked for the others, even while nothing else has been asked for so long
// that it is taken to be down.
func TestDroppedNamesLeaveTheRestAlone(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		if !strings.HasPrefix(strings.ToLower(q.Question[0].Name), "blocked") {
			answerA(w, q)
		}
	})
	d := start(t, "[resolver]\ntimeout = \"5s\"\n"+forward(".", up))
	stillRight(t, d, "before.example.")
	var state struct {
		Groups []struct{ Servers []struct{ State string } }
	}
	until(t, "the forwarder to be down", func() bool {
		d.ask(fmt.Sprintf("blocked%d.example.", up.Count("")), dns.TypeA)
		d.ctlJSON(&state, "upstreams")
		return state.Groups[0].Servers[0].State == "down"
	})
	stillRight(t, d, "good.example.")
}
