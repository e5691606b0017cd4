package main

import (
	"fmt"
	"strings"
)

// attack is the second stream of a scenario.
type attack uint8

const (
	noAttack attack = iota
	randomSubdomains
	malformedPackets
	coldNames // none in truth: names that are asked for once
)

// hostile says whether the stream comes from an address of its own.
func (a attack) hostile() bool { return a == randomSubdomains || a == malformedPackets }

// law is how a stream draws its names.
type law uint8

const (
	drawUniform law = iota
	drawZipf
)

// scenario is one kind of traffic. A new one is a row in the table below, unless
// it needs a law or an attack that does not exist yet.
type scenario struct {
	name       string
	help       string
	law        law
	rate       float64 // queries a second, if the command line says nothing
	attack     attack
	attackRate float64 // packets a second, likewise
	cold       bool    // each name once, as fast as replies come
}

var scenarios = []scenario{
	{name: "cached", help: "names in the server's cache, all equally popular", law: drawUniform, rate: 10_000},
	{name: "zipf", help: "the same with a popularity of 1/rank^s", law: drawZipf, rate: 10_000},
	{name: "cold", help: "each name once and never again, -window of them at a time; without -warm, -rate and -duration", cold: true},
	{name: "beside", help: "the first -hot names, cached, alone; then beside the other names, each asked for once and never again", law: drawUniform, rate: 10_000, attack: coldNames, attackRate: 1000},
	{name: "flood", help: "good queries beside random subdomains from another address", law: drawUniform, rate: 2000, attack: randomSubdomains, attackRate: 300_000},
	{name: "malformed", help: "good queries beside eight kinds of nonsense from another address", law: drawUniform, rate: 200_000, attack: malformedPackets, attackRate: 200_000},
}

func findScenario(name string) (*scenario, error) {
	for i := range scenarios {
		if scenarios[i].name == name {
			return &scenarios[i], nil
		}
	}
	return nil, fmt.Errorf("-scenario %q: there is none of that name", name)
}

func scenarioHelp() string {
	var b strings.Builder
	for _, s := range scenarios {
		rates := fmt.Sprintf("%.0f/s", s.rate)
		switch {
		case s.cold:
			rates = "as fast as replies come"
		case s.attack != noAttack:
			rates += fmt.Sprintf(" and %.0f/s", s.attackRate)
		}
		fmt.Fprintf(&b, "  %-10s %s (%s)\n", s.name, s.help, rates)
	}
	return b.String()
}
