// Package handover is how one process of the daemon takes the place of another without a lost query.
//
// What is handed over are descriptors: the sockets themselves stay, with all that waits in their queues. There are two ways.
//
//	upgrade:  old ──start──> launcher ──exec──> new
//	          old ──sockets──> new ──ready──> old ──go──> new ──serving──> old ──yours, streams──> new
//	restart:  old ──sockets──> service manager ──sockets──> new
//
// Until "serving" the old process serves as ever, and a new one that fails, or takes too long, is killed and changes
// nothing. From "yours" on it reads nothing more, answers what it has, hands its streams over and ends. When the old one dies
// before, the new one goes on with what it has got.
//
// The launcher is a process of its own, started before the daemon gives up the right to start any: all that it does is to start
// the binary from the place where the daemon's own was, with the daemon's own arguments. It ends when the daemon does.
package handover
