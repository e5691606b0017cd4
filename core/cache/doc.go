// Package cache keeps what was learnt from other servers inside memory given by the caller: Store maps
// keys to values with an expiry and has the eviction policy; Answers keeps whole responses in it and
// makes replies of them.
package cache
