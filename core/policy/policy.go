// Package policy decides which client may ask, and whose turn it is.
//
// An ACL tells who may use recursion. A FairQueue shares the miss path of a shard: what it costs to ask
// other servers is divided between clients, so that one client's flood of new names does not delay another
// client's single miss.
package policy
