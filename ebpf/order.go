package ebpf

import (
	"runtime"
	"sync/atomic"
)

// reorders tells whether CPUs of this architecture may carry out loads in another order than the program's. The
// readers of hot answers then need barriers.
const reorders = runtime.GOARCH != "amd64" && runtime.GOARCH != "386"

// withdraw sets a serial to 0 before all that is written later: what readers see of that, they see with the serial gone.
// A store alone is only kept behind what comes before it. But a load is kept behind an atomic store, and all that
// follows behind the load (on arm64: STLR, LDAR); on amd64 the load costs nothing.
func withdraw(serial *uint32) {
	atomic.StoreUint32(serial, 0)
	_ = atomic.LoadUint32(serial)
}
