package cache

import "encoding/binary"

// Depends says what an answer was put together from, besides what servers say of its name: a change there makes the
// answer worthless before its TTL has passed.
type Depends uint8

const (
	// OnNothing: servers were asked about the name itself, and what they say is good for the TTL.
	OnNothing Depends = iota
	// OnRoutes: an alias leads to another name, and the configuration says whose matter that is.
	OnRoutes
	// OnZones: part of it comes from a zone that is served here. It depends on the routes as well.
	OnZones
	// OnServers: it is a failure. It depends on all of the configuration.
	OnServers
)

// FailureRecheck is the time in seconds for which stale data is served at once after a refresh has failed: the failure
// recheck timer of RFC 8767, section 5.
const FailureRecheck = 30

// generations count the changes. An entry keeps the count that it was put under, and is found while that is the
// present one: nothing has to be looked through. Of the counts 30 bits are kept: a reload in each second, for as long
// as answers are kept at most, is 1,209,600.
type generations [OnServers + 1]uint32

const generationBits = 30

// mark is what an entry that depends on something and is put now keeps.
func (g *generations) mark(d Depends) uint32 {
	return uint32(d)<<generationBits | g[d]&(1<<generationBits-1)
}

// Changed makes all answers worthless that depend on d. now is the present second: failures of before do not hold back
// the refresh of stale answers any more.
func (a *Answers) Changed(d Depends, now uint32) {
	a.gens[OnServers]++
	a.freed = now + FailureRecheck
	switch d {
	case OnRoutes:
		a.gens[OnRoutes]++
		a.gens[OnZones]++
	case OnZones:
		a.gens[OnZones]++
	}
}

// outdated says whether what an entry depends on has changed since it was put.
func (a *Answers) outdated(value []byte) bool {
	if binary.LittleEndian.Uint16(value[flagsAt:])&dependent == 0 {
		return false
	}
	mark := binary.LittleEndian.Uint32(value[len(value)-dependsSize:])
	return mark != a.gens.mark(Depends(mark>>generationBits))
}
