package main

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

// Measurement is one run of the generator against one server.
type Measurement struct {
	Name       string  `json:"name"`
	Queries    *Result `json:"queries"`
	Attack     *Result `json:"attack,omitempty"`
	Complete   bool    `json:"complete,omitempty"`    // warm-up: every name had a good reply
	CPUSeconds float64 `json:"cpu_seconds,omitempty"` // of the server's processes
	CPUUs      float64 `json:"cpu_us_per_reply,omitempty"`
	PSSBytes   uint64  `json:"pss_bytes,omitempty"`        // of the server's processes, afterwards
	Others     float64 `json:"others_cpu_share,omitempty"` // share of all CPUs that uninvolved processes took, if watchful
}

// warmUp is the name of the measurement that precedes the others of a round.
const warmUp = "warm-up"

// noisy is the share of the CPUs above which what others took spoils a figure.
const noisy = 0.03

// Round is all that was measured of one server in one turn.
type Round struct {
	Round        int                `json:"round"`
	Server       string             `json:"server"`
	Measurements []*Measurement     `json:"measurements"`
	Values       map[string]float64 `json:"values"` // the figures that the table is made of
	Noisy        bool               `json:"noisy"`
	Limited      bool               `json:"generator_limited"` // the generator could not keep up
}

// bench measures servers.
type bench struct {
	opt   *options
	gen   *generator
	tell  func(format string, args ...any) // progress
	best  map[string]float64               // rate found in the last round, by server
	pause time.Duration                    // after an attack, before seeing whether the server recovered
}

// round measures one server once.
func (b *bench) round(ctx context.Context, t *target, number int) (*Round, error) {
	r := &Round{Round: number, Server: t.name, Values: map[string]float64{}}
	if b.opt.warm {
		m, err := b.warm(ctx, t)
		if err != nil {
			return nil, err
		}
		r.add(m)
	}
	var err error
	switch {
	case b.opt.scenario.cold:
		err = b.cold(ctx, t, r)
	case b.opt.search:
		err = b.search(ctx, t, r)
	case b.opt.scenario.attack == coldNames:
		err = b.beside(ctx, t, r)
	case b.opt.scenario.attack != noAttack:
		err = b.attack(ctx, t, r)
	default:
		err = b.fixed(ctx, t, r)
	}
	return r, err
}

func (r *Round) add(m *Measurement) {
	r.Measurements = append(r.Measurements, m)
	r.Noisy = r.Noisy || m.Others > noisy
	if m.Name == warmUp {
		return
	}
	for _, q := range []*Result{m.Queries, m.Attack} {
		if q != nil {
			r.Values["wrong"] += float64(q.Wrong)
		}
	}
}

// measure runs flows against t; the first is the good queries.
func (b *bench) measure(ctx context.Context, t *target, name string, duration time.Duration, flows ...flow) (*Measurement, error) {
	m := &Measurement{Name: name}
	err := b.account(t, m, func() error {
		results, err := b.gen.run(ctx, t.addr, duration, flows...)
		if err != nil {
			return err
		}
		m.Queries = results[0]
		if len(results) > 1 {
			m.Attack = results[1]
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("measure %s: %w", t.name, err)
	}
	return m, nil
}

func (b *bench) warm(ctx context.Context, t *target) (*Measurement, error) {
	m := &Measurement{Name: warmUp}
	err := b.account(t, m, func() (err error) {
		m.Queries, m.Complete, err = b.gen.warm(ctx, t.addr)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("warm up %s: %w", t.name, err)
	}
	if !m.Complete {
		b.tell("  %s: only %d of %d names had a good reply while warming up; %s", t.name, m.Queries.Good, b.gen.cached(), m.Queries.complaint())
	}
	return m, nil
}

// account fills in what the machine tells about the time that do takes.
func (b *bench) account(t *target, m *Measurement, do func() error) error {
	pids := family(t.pids)
	ours := b.opt.processes()
	cpu, others, began := cpuTimes(pids), othersTime(ours), time.Now()
	if err := do(); err != nil {
		return err
	}
	took := time.Since(began)
	if after := othersTime(ours); b.opt.watchful() && after > others { // less when one of them has ended
		m.Others = float64(after-others) / float64(took) / float64(runtime.NumCPU())
	}
	if len(pids) == 0 {
		return nil
	}
	m.CPUSeconds = float64(cpuSince(cpu, cpuTimes(family(t.pids)))) / 1e9
	replies := m.Queries.Replies
	if m.Attack != nil {
		replies += m.Attack.Replies
	}
	m.CPUUs = m.CPUSeconds * 1e6 / float64(max(replies, 1))
	m.PSSBytes = proportionalSize(pids)
	return nil
}

// fixed measures at the given rate.
func (b *bench) fixed(ctx context.Context, t *target, r *Round) error {
	m, err := b.measure(ctx, t, "rate", b.opt.duration, flow{rate: b.opt.rate})
	if err != nil {
		return err
	}
	r.add(m)
	r.Limited = m.Queries.limited()
	r.Values["sent"] = m.Queries.SentRate
	r.Values["replies"] = m.Queries.GoodRate
	r.Values["loss"] = m.Queries.Loss
	r.latency("", &m.Queries.Latency)
	r.server(m)
	return nil
}

// attack measures good queries beside an attack, and again after it.
func (b *bench) attack(ctx context.Context, t *target, r *Round) error {
	good := flow{rate: b.opt.rate}
	m, err := b.measure(ctx, t, "attack", b.opt.duration, good, flow{rate: b.opt.attackRate, attack: b.opt.scenario.attack})
	if err != nil {
		return err
	}
	r.add(m)
	r.Limited = m.Queries.limited() || m.Attack.limited()
	r.Values["good"] = 1 - m.Queries.Loss
	r.Values["sent"] = m.Queries.SentRate
	r.Values["attack_sent"] = m.Attack.SentRate
	r.Values["attack_replies"] = float64(m.Attack.Replies) / m.Attack.Seconds
	r.latency("", &m.Queries.Latency)
	// Once its queues have had time to drain the server must answer again.
	select {
	case <-time.After(b.pause):
	case <-ctx.Done():
		return ctx.Err()
	}
	after, err := b.measure(ctx, t, "after", min(b.opt.duration, time.Second), flow{rate: min(b.opt.rate, afterRate)})
	if err != nil {
		return err
	}
	r.add(after)
	r.Values["after"] = 1 - after.Queries.Loss
	r.server(m)
	return nil
}

// afterRate is the rate in queries a second at which a server is asked once an
// attack is over: one that any server can bear.
const afterRate = 2000

// latency notes a distribution under names that end in suffix.
func (r *Round) latency(suffix string, l *Latency) {
	r.Values["p50"+suffix], r.Values["p90"+suffix] = l.P50, l.P90
	r.Values["p99"+suffix], r.Values["p999"+suffix] = l.P99, l.P999
	r.Values["max"+suffix] = l.Max
}

// server notes what the machine tells about the server during m.
func (r *Round) server(m *Measurement) {
	if m.CPUSeconds > 0 {
		r.Values["cpu_us"] = m.CPUUs
		r.Values["pss_mib"] = float64(m.PSSBytes) / (1 << 20)
	}
}
