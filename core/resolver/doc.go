// Package resolver finds out what is not yet known: a state machine without I/O and without a clock that
// asks forwarders, stub servers, and the servers of the DNS tree from the root on, and hands back
// responses ready to be cached and served.
//
// # Shape
//
// A [Machine] belongs to one shard. Each question in flight is a task; clients that ask the same meanwhile join it as
// waiters. A task asks one server at a time, and beside it sometimes one that was down, to find out whether it is back. Each
// query in flight is an exchange. An exchange stays listed after its time-out until its task ends or moves to another
// question, so that the answer of a slow server is still of use. Tasks, exchanges and waiters are slots of tables of fixed
// size, which are touched only as far as they are used; nothing is allocated for a query once the machine has warmed up.
//
// The caller starts a task with Begin and performs what Actions lists after each call:
//
//	Query    pick a socket, call BuildQuery and send; or, with Stream set, send over TCP
//	Timer    call Fire with the reference at the given time; stale references are ignored
//	Verify   have the job run on another thread, then call Verified
//	Respond  a task has ended: cache the answer and send it to the waiters
//
// Whatever arrives goes to Receive or ReceiveStream. Time (nanoseconds of any monotonic clock) and
// randomness are arguments.
//
// # A task's life
//
//	start     the present name of the question, at first its qname: is it answered here, is it known already?
//	locate    find the closest known zone whose servers lead to the name, and their addresses
//	route     who is asked: a forward or stub group, or the servers of that zone
//	advance   pick a server by how it stands and by its measured time, send
//	widen     all were asked in vain once: spawn sub-tasks for addresses, take those of lesser rank, ask the parent
//	settle    nobody says anything better: take the response without authority that was put aside
//	accept    a response: is it the one that was asked for?
//	scrub     what of it may be believed; the rest is not looked at again
//	use       go on: to the zone of a referral (refer), to the target of an alias (follow), to more
//	          labels of the name (useMinimised), to another server (useless), or to the end (finish)
//
// What a step has found out is a finding, which is handed to the next step; no step leaves anything for another in the
// Machine. These steps are the Machine's methods. What they build on has types of its own:
//
//	tasks        the questions in flight, who waits for them, and what their work is charged to
//	exchanges    the queries in flight, found by what comes back
//	delegations  the servers of the zones that tasks ask, and where they are
//	knowledge    answers from what was learned, and stores findings; package known keeps the records
//	realms       which way a name goes, and who is believed about it
//	forwarders   which servers pass DNSSEC records on
//	tracer       tells whoever watches
//
// Package servers has what is known of the servers that are asked, package trust the chain of trust.
//
// Iteration keeps two kinds of knowledge apart in one bounded store. A delegation is what a parent zone
// said of the servers of a child, glue included: it finds servers and answers nothing. An RRset is what a
// server answered for a zone that it was asked as a server of. Nothing else in a response is kept, so
// that additional and authority sections have nothing to poison, and a zone that its parent withdrew is
// gone when the parent's TTL has passed. What a zone says of its own servers, asked for just that, is kept
// beside the parent's word, no longer than that, for when the parent's servers do not answer.
//
// A server is asked after all others while it answers nothing (down) or nothing can be sent to it (barred), but it
// is asked: it may be silent to some names only. Few questions wait for such a server at a time.
//
// # Trust
//
// A datagram counts as a response only if it came to the socket that a query left from, with its ID, from
// the address and port that were asked, as a response to a query, with exactly the question asked in the
// letter case it was asked in (0x20), and with the cookie that was sent, if the server knows cookies.
// Everything else is counted by reason and otherwise ignored: the task keeps waiting, and goes to TCP if
// the guesses for one query become many.
//
// What is taken from a response is only the chain of CNAME and DNAME records that starts at the question
// and what proves a negative answer. Of servers that are not forwarders it is only the first link, and
// only within their zone: each alias is asked for where it belongs.
//
// Each name has one route: what is known here (Here), else the group with the longest zone that contains it, else the
// deepest delegation. A server is believed about the names whose route leads to it, and no others, in whatever
// section it speaks of them: a forwarder's chain ends where the next name has another route. So all that is kept under
// a name came by the name's own route, and may be used for whoever comes to the name, by a question, an alias or a
// delegation. What is known here is not kept at all. With the groups, and the names that are known here, the routes of
// tasks under way change: they begin anew with their present name.
//
// # Bounds
//
// Every task ends within Options.Timeout. A task sends at most maxQueries queries and follows at most
// maxChain aliases; a client's question and all sub-tasks for it send at most maxTotal; a delegation
// starts at most maxSpawned sub-tasks, and these nest at most maxDepth deep. Sub-tasks wait only for
// deeper ones, so that none waits for itself, and end with the question they were for. Tables refuse
// (Full) instead of growing. The limits are constants beside the code that enforces them.
//
// # Validation
//
// With trust anchors, what scrub leaves of a response to a client's question goes through conclude before it is
// stored or used, unless the client set CD:
//
//	conclude  copy the records to a claim; names below a known insecure delegation pass at once
//	climb     for each part of it walk the chain of trust; sub-tasks (needLink) find the links that are missing
//	submit    emit an action of kind Verify: a job that owns all it needs runs on another thread
//	Verified  the verdict: believe goes on, distrust asks another server, or fails with the cause
//
// The links, zones with their keys and delegations with their DS records or the absence of these, are found and
// validated once, by tasks of their own that all who need them wait for, and kept in package trust. DS records and their
// denial are taken from referrals; if these do not prove anything, they are asked for. RRsets are stored with their
// status; what came without validation, to clients that set CD or to find servers, is validated before it
// answers anybody else. Denial records and wildcards that were validated answer for other names (RFC 8198,
// RFC 8020). Answers for a client are put together from one validated response for each alias; the denial that came
// with an alias counts for what it leads to. A task is found by its reference and generation, so that a
// verdict that comes late is ignored like a stale timer.
//
// The work for one client's question, sub-tasks included, is bounded by dnssec.Budget, by maxTotal queries, and
// by maxDistrust responses that are not believed. Links that are broken are kept for brokenTTL.
package resolver
