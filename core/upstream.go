package core

import (
	"net/netip"

	"heimdall/core/resolver"
)

// Receive takes a datagram that came from another server through the outbound socket sock.
func (e *Engine) Receive(now int64, sock uint16, from netip.AddrPort, msg []byte) {
	e.setTime(now)
	e.resolver.Receive(now, sock, from, msg)
	e.perform()
}

// Refused says that the query ref reached nobody, as the network tells.
func (e *Engine) Refused(now int64, ref uint64) {
	e.setTime(now)
	e.resolver.Refused(now, ref)
	e.perform()
}

// ReceiveStream takes the response to the stream query ref, or the reason why there is none.
func (e *Engine) ReceiveStream(now int64, ref uint64, msg []byte, err error) {
	e.setTime(now)
	e.resolver.ReceiveStream(now, ref, msg, err)
	e.perform()
}

// SendFailed says that the query ref could not be sent after all.
func (e *Engine) SendFailed(now int64, ref uint64, why resolver.Obstacle) {
	e.setTime(now)
	e.resolver.SendFailed(now, ref, why)
	e.perform()
}

// Fire is called when a timer of Performer.Timer is due.
func (e *Engine) Fire(now int64, ref uint64) {
	e.setTime(now)
	if n, ours := e.staleWaiter(ref); ours {
		e.serveStale(n, uint32(ref>>32))
		return
	}
	e.resolver.Fire(now, ref)
	e.perform()
}

// Verified takes back a job of Performer.Verify that has been run or skipped, or has ended in a panic.
func (e *Engine) Verified(now int64, ref uint64, job *resolver.Job) {
	e.setTime(now)
	e.resolver.Verified(now, ref, job)
	e.perform()
}

// unsent is a query that could not be sent.
type unsent struct {
	ref uint64
	why resolver.Obstacle
}

// unverified is a job of validation that nobody took.
type unverified struct {
	ref uint64
	job *resolver.Job
}

// perform does what the resolver wants done.
func (e *Engine) perform() {
	for {
		e.unsent, e.unverified = e.unsent[:0], e.unverified[:0]
		for i := 0; i < len(e.resolver.Actions()); i++ {
			switch a := &e.resolver.Actions()[i]; a.Kind {
			case resolver.Query:
				if why := e.performer.Query(a); why != resolver.NoObstacle {
					e.unsent = append(e.unsent, unsent{a.Ref, why})
				}
			case resolver.Release:
				e.performer.ReleaseSocket(a.Ref, a.Sock)
			case resolver.Verify:
				if a.Waiter != resolver.NoWaiter && !e.waiters.At(a.Waiter).inside {
					a.Job.Client = e.queue.Address(e.waiters.At(a.Waiter).fair)
				}
				if !e.performer.Verify(a.Ref, a.Job) {
					e.unverified = append(e.unverified, unverified{a.Ref, a.Job})
				}
			case resolver.Timer:
				e.performer.Timer(a.Ref, a.At)
			case resolver.Respond:
				e.resolved(a)
			}
		}
		e.resolver.Clear()
		if len(e.unsent) == 0 && len(e.unverified) == 0 {
			return
		}
		// Each failed query uses up one of its task's attempts: this ends.
		for _, u := range e.unsent {
			e.resolver.SendFailed(e.now, u.ref, u.why)
		}
		for _, u := range e.unverified {
			e.resolver.Verified(e.now, u.ref, u.job)
		}
		clear(e.unverified)
	}
}
