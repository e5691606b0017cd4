package main

import (
	"encoding/hex"
	"fmt"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/miekg/dns"
)

// tally is what one stream of one thread counts.
type tally struct {
	sent    uint64
	skipped uint64 // not sent because the generator was late, by its own fault
	stalled uint64 // not sent because the server took nothing for a whole timeout
	replies uint64
	late    uint64 // right, but after the timeout
	closed  uint64 // connections that the server closed
	by      [verdicts]uint64
	rcodes  [16]uint64
	first   string // the first wrong reply
	latency *hdrhistogram.Histogram
}

// newTally returns an empty tally. Latencies up to timeout, in ns, are kept with
// three significant digits.
func newTally(timeout int64) *tally {
	return &tally{latency: hdrhistogram.New(1, timeout, 3)}
}

// note counts a verdict and keeps the first wrong reply as evidence.
func (t *tally) note(v verdict, reply []byte) {
	t.by[v]++
	if v.wrong() && t.first == "" {
		t.first = verdictNames[v] + ": " + hex.EncodeToString(reply[:min(len(reply), 128)])
	}
}

func (t *tally) merge(o *tally) {
	t.sent += o.sent
	t.skipped += o.skipped
	t.stalled += o.stalled
	t.replies += o.replies
	t.late += o.late
	t.closed += o.closed
	for i, n := range o.by {
		t.by[i] += n
	}
	for i, n := range o.rcodes {
		t.rcodes[i] += n
	}
	if t.first == "" {
		t.first = o.first
	}
	t.latency.Merge(o.latency)
}

// Result is what became of one stream of queries.
type Result struct {
	Seconds     float64           `json:"seconds"`    // during which queries were sent
	AskedRate   float64           `json:"asked_rate"` // queries a second; 0: as fast as replies came
	Sent        uint64            `json:"sent"`
	Skipped     uint64            `json:"skipped"` // the generator was late by its own fault
	Stalled     uint64            `json:"stalled"` // the server took nothing for a whole timeout
	Replies     uint64            `json:"replies"`
	Good        uint64            `json:"good"`    // right and in time
	Refused     uint64            `json:"refused"` // SERVFAIL or REFUSED
	Wrong       uint64            `json:"wrong"`
	Late        uint64            `json:"late"`
	Closed      uint64            `json:"closed_connections"`
	SentRate    float64           `json:"sent_rate"`
	GoodRate    float64           `json:"good_rate"`
	Loss        float64           `json:"loss"` // share of the queries, stalled ones included, without a good reply
	Latency     Latency           `json:"latency"`
	Rcodes      map[string]uint64 `json:"rcodes"`
	WrongBy     map[string]uint64 `json:"wrong_by,omitempty"`
	FirstWrong  string            `json:"first_wrong,omitempty"`
	RepliesKind map[string]uint64 `json:"replies_by_kind,omitempty"` // of malformed packets
}

// Latency is the time from when the schedule wanted a query sent until its good
// reply was read, in microseconds.
type Latency struct {
	Mean      float64 `json:"mean_us"`
	P50       float64 `json:"p50_us"`
	P90       float64 `json:"p90_us"`
	P99       float64 `json:"p99_us"`
	P999      float64 `json:"p999_us"`
	Max       float64 `json:"max_us"`
	Histogram string  `json:"hdr_histogram,omitempty"` // V2 compressed, base64, in ns
}

// limited tells that the generator could not keep up, so that the figures are
// its own and not the server's.
func (r *Result) limited() bool { return r.Skipped*100 > r.Sent+r.Skipped }

// result sums up t over the given time.
func (t *tally) result(seconds, rate float64) (*Result, error) {
	r := &Result{
		Seconds: seconds, AskedRate: rate, Sent: t.sent, Skipped: t.skipped, Stalled: t.stalled, Replies: t.replies,
		Good: t.by[right] - t.late, Refused: t.by[refused], Late: t.late, Closed: t.closed,
		SentRate: float64(t.sent) / seconds, Rcodes: map[string]uint64{}, FirstWrong: t.first,
	}
	r.GoodRate = float64(r.Good) / seconds
	if asked := t.sent + t.stalled; asked > 0 {
		r.Loss = 1 - float64(r.Good)/float64(asked)
	}
	for v, n := range t.by {
		if verdict(v).wrong() && n > 0 {
			if r.WrongBy == nil {
				r.WrongBy = map[string]uint64{}
			}
			r.WrongBy[verdictNames[v]] = n
			r.Wrong += n
		}
	}
	for code, n := range t.rcodes {
		if n > 0 {
			r.Rcodes[dns.RcodeToString[code]] = n
		}
	}
	us := func(p float64) float64 { return float64(t.latency.ValueAtPercentile(p)) / 1e3 }
	r.Latency = Latency{Mean: t.latency.Mean() / 1e3, P50: us(50), P90: us(90), P99: us(99), P999: us(99.9), Max: float64(t.latency.Max()) / 1e3}
	if r.Good == 0 {
		r.Latency.Mean = 0
		return r, nil
	}
	encoded, err := t.latency.EncodeV2()
	if err != nil {
		return nil, fmt.Errorf("encode latencies: %w", err)
	}
	r.Latency.Histogram = string(encoded)
	return r, nil
}

// complaint says what the first wrong reply was, or what there was instead of
// good ones.
func (r *Result) complaint() string {
	switch {
	case r.FirstWrong != "":
		return "the first wrong reply was " + r.FirstWrong
	case r.Refused > 0:
		return fmt.Sprintf("%d were SERVFAIL or REFUSED", r.Refused)
	case r.Replies == 0:
		return "nothing came back"
	}
	return fmt.Sprintf("%d replies came back", r.Replies)
}
