package resolver

import "heimdall/core/resolver/servers"

// Reconnect has the machine begin anew with a network that has changed: questions that have failed, servers that were
// silent or out of reach, and families without a route may be tried at once, and the root servers be asked for again.
func (m *Machine) Reconnect(now int64) {
	m.now = now
	clear(m.failing.slots[:])
	m.servers.Reconnect()
	m.families = servers.Families{}
	m.primed = now
}
