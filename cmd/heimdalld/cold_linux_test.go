package main

import (
	"fmt"
	"testing"

	"github.com/miekg/dns"

	"heimdall/cmd/heimdall-lab/lab"
)

// Of many small zones, signed and not, each is found with one referral, and what is signed is secure.
func TestRootColdZones(t *testing.T) {
	const n = 400
	l := startLabWith(t, append(lab.Zones(), lab.Cold(n)...), "")
	var questions []lab.Question
	for i := range n {
		questions = append(questions, lab.Question{Name: fmt.Sprintf("www.z%d.cold.", i), Type: dns.TypeA, Data: fmt.Sprintf("10.0.%d.%d", i>>8, i&255), AD: i%2 == 0})
	}
	compare(t, l, questions, true)
	// One query for each zone, a few for the keys of the top-level domain, and more where the machine is slow. Who
	// asks twice for each has more than twice as many.
	if got := l.Queries("cold."); got < n || got >= 2*n {
		t.Errorf("%d queries to the servers of cold., want %d and a few", got, n)
	}
}
