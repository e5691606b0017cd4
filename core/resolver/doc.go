// Package resolver finds out what is not yet known: a state machine without I/O and without a clock
// that asks forwarders and stub servers and hands back responses ready to be cached and served.
//
// # Shape
//
// A [Machine] belongs to one shard. Every distinct question in flight is a task in a fixed pool; clients
// that ask the same while it is in flight join it as waiters. A task asks one server at a time (and, to
// find out whether a server that was down is back, sometimes a second one); each query in flight is an
// exchange in a second pool. An exchange stays listed after its time-out until its task ends or moves to
// another question, so that the answer of a slow server is still of use. Both pools are touched only as
// far as they are used, and nothing is allocated for a query once the machine has warmed up.
//
// The caller starts a task with Begin and performs what Actions lists after each call:
//
//	Query    pick a socket, call BuildQuery and send; or, with Stream set, send over TCP
//	Timer    call Fire with the reference at the given time; stale references are ignored
//	Respond  a task has ended: cache the answer and send it to the waiters
//
// Whatever arrives goes to Receive or ReceiveStream. Time (nanoseconds of any monotonic clock) and
// randomness are arguments.
//
// # Trust
//
// A datagram counts as a response only if it came to the socket that a query left from, with its ID, from
// the address and port that were asked, as a response to a query, with exactly the question asked in the
// letter case it was asked in (0x20). Everything else is counted by reason and otherwise ignored: the task
// keeps waiting, and goes to TCP if the guesses for one query become many. What is taken from a response
// is only the chain of CNAME and DNAME records that starts at the question and what proves a negative
// answer.
//
// # Bounds
//
// Every task ends within Options.Timeout, after at most maxQueries queries and maxChain aliases. Pools
// refuse (Full) instead of growing. The limits are constants beside the code that enforces them.
//
// # Where validation will stand
//
// A task's life is: choose who is asked (group), ask (exchange), judge the response (outcome), then go on
// or finish. All that a response contributes passes through one place: scrub leaves the selected records,
// signatures and denial proofs included, in the records buffer, and finish turns that buffer into the
// answer. Validation goes between the two. A task whose records need it keeps them in its pooled buffer,
// moves to a state of its own, and emits an action of kind Verify that lends the buffer to the caller; the
// workers' verdict comes back through a call that takes the reference and the verdict (secure, insecure,
// bogus with its extended error) and goes on to finish with Answer.AD set, or to the next server. Keys and
// DS records it lacks are ordinary questions: sub-tasks that wake the task when they end. Because tasks are
// found by reference and generation, a verdict for a task that has timed out is ignored like a stale timer.
package resolver
