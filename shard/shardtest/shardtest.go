// Package shardtest is what the tests of shards, of the packages below shard and of the daemon share: waits, a log that
// may be read while it is written, free ports, and servers to be asked. Only tests import it.
package shardtest

import (
	"bytes"
	"sync"
	"testing"
	"time"
)

// Patience bounds every wait. It is a guard against hanging, not a claim about speed.
const Patience = 30 * time.Second

// Until waits for a condition that has to come true.
func Until(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(Patience); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// Buffer is a buffer that one goroutine writes and others read. The zero value is empty.
type Buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// String returns what has been written so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
