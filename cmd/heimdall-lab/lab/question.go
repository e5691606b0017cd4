package lab

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// Question is a name to ask the lab's resolver for, and what it has to make of it.
type Question struct {
	Name string
	Type uint16
	Why  string

	Rcode  int
	Data   string   // of the records of the type asked for in the answer section, the greatest; empty: there is none
	AD     bool     // the response is secure
	Bogus  bool     // Rcode and Data hold without validation, and with CD set; with it, the response is SERVFAIL
	Errors []uint16 // extended errors (RFC 8914) that say why it is bogus, or insecure; others of DNSSEC are wrong
}

// Outcome is what a resolver made of a question.
type Outcome struct {
	Rcode  int // or noResponse
	AD     bool
	Data   string
	Errors []uint16
}

// Ask puts the question to the lab's resolver, over TCP if the response does not fit UDP. With cd set the client
// wants no validation.
func (l *Lab) Ask(q *Question, cd bool) Outcome {
	m := new(dns.Msg).SetQuestion(q.Name, q.Type).SetEdns0(maxUDP, true)
	m.CheckingDisabled = cd
	r, err := l.Exchange(m, "udp")
	if err == nil && r.Truncated {
		r, err = l.Exchange(m, "tcp")
	}
	if err != nil {
		return Outcome{Rcode: noResponse}
	}
	return q.read(r)
}

// maxAsked is the number of questions that AskAll has in flight, so that those that wait for dead servers do not
// hold up the others, and a resolver is not flooded.
const maxAsked = 32

// AskAll puts all questions to the lab's resolver and returns the outcome of each. When ctx ends it asks no more.
func (l *Lab) AskAll(ctx context.Context, questions []Question, cd bool) []Outcome {
	got := make([]Outcome, len(questions))
	var all sync.WaitGroup
	slots := make(chan struct{}, maxAsked)
	for i := range questions {
		slots <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		all.Go(func() {
			got[i] = l.Ask(&questions[i], cd)
			<-slots
		})
	}
	all.Wait()
	return got
}

// Wanted returns what the resolver has to make of the question, with and without validation.
func (q *Question) Wanted(validating bool) Outcome {
	o := Outcome{Rcode: q.Rcode, AD: q.AD && validating, Data: q.Data}
	if q.Bogus && validating {
		o.Rcode, o.Data = dns.RcodeServerFailure, ""
	}
	if validating {
		o.Errors = q.Errors
	}
	return o
}

// read returns the outcome that a response shows.
func (q *Question) read(r *dns.Msg) Outcome {
	o := Outcome{Rcode: r.Rcode, AD: r.AuthenticatedData}
	for _, rr := range r.Answer {
		if rr.Header().Rrtype == q.Type {
			o.Data = max(o.Data, strings.TrimPrefix(rr.String(), rr.Header().String()))
		}
	}
	if opt := r.IsEdns0(); opt != nil {
		for _, option := range opt.Option {
			if e, ok := option.(*dns.EDNS0_EDE); ok {
				o.Errors = append(o.Errors, e.InfoCode)
			}
		}
	}
	return o
}

// Meets says whether the outcome is what is wanted. Of the extended errors that are listed one has to be there if
// the response is bogus; one that comes with data is the resolver's choice.
func (o Outcome) Meets(want Outcome) bool {
	if o.Rcode != want.Rcode || o.AD != want.AD || o.Data != want.Data {
		return false
	}
	listed := func(e uint16) bool { return slices.Contains(want.Errors, e) }
	if slices.ContainsFunc(o.Errors, func(e uint16) bool { return aboutValidation(e) && !listed(e) }) {
		return false
	}
	return slices.ContainsFunc(o.Errors, listed) || len(want.Errors) == 0 || o.Rcode != dns.RcodeServerFailure
}

// aboutValidation says whether an extended error is one of DNSSEC (RFC 8914, sections 4.2 to 4.13).
func aboutValidation(e uint16) bool {
	return e >= dns.ExtendedErrorCodeUnsupportedDNSKEYAlgorithm && e <= dns.ExtendedErrorCodeNSECMissing &&
		e != dns.ExtendedErrorCodeStaleAnswer && e != dns.ExtendedErrorCodeForgedAnswer || e == edeIterations
}

// noResponse stands for the rcode when none came.
const noResponse = -1

// String returns the outcome as one would tell it: "NOERROR AD 192.0.2.1", "SERVFAIL EDE 7".
func (o Outcome) String() string {
	if o.Rcode == noResponse {
		return "no response"
	}
	var b strings.Builder
	b.WriteString(dns.RcodeToString[o.Rcode])
	if o.AD {
		b.WriteString(" AD")
	}
	if len(o.Errors) > 0 {
		fmt.Fprintf(&b, " EDE %s", strings.ReplaceAll(strings.Trim(fmt.Sprint(o.Errors), "[]"), " ", "|"))
	}
	if o.Data != "" {
		b.WriteString(" " + o.Data)
	}
	return b.String()
}
