//go:build !linux

package netiotest

// readiness has no descriptor here; a test must call Recv without polling.
type readiness struct{ fd int }

func (r *readiness) open() error { r.fd = -1; return nil }

func (r *readiness) set() {}

func (r *readiness) clear() {}

func (r *readiness) close() error { return nil }
