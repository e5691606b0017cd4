package core

import "heimdall/core/cache"

// Reconnect forgets what has failed for want of a network, which has changed: nothing of it is answered any more, and
// everybody may be asked at once.
func (e *Engine) Reconnect(now int64) {
	e.setTime(now)
	e.answers.Changed(cache.OnServers, e.nowSec)
	e.resolver.Reconnect(now)
}
