package tap

import (
	"context"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"heimdall/shard/tap/dnstap"
)

const (
	// patience bounds the end of an output.
	patience = 2 * time.Second
	// greeting bounds the handshake with a reader.
	greeting = 5 * time.Second
	// stall is how long a reader may take nothing until its connection is given up.
	stall = 30 * time.Second
	// firstPause and longPause are between two tries to connect; the pause doubles.
	firstPause = 200 * time.Millisecond
	longPause  = 5 * time.Second
)

// stream writes frames to a reader, and connects again when that has gone. Without one, frames wait in the pipe as long as
// there is room.
type stream struct {
	pipe    *pipe
	network string
	address string
	counts  *counts
	log     *slog.Logger
	broken  atomic.Bool // nobody is connected

	ctx   context.Context
	end   context.CancelFunc
	until time.Time // what is left has to be written by then; set before ctx ends
	ended chan struct{}
}

func newStream(network, address string, c *counts, log *slog.Logger) *stream {
	w := &stream{pipe: newPipe(), network: network, address: address, counts: c, log: log, ended: make(chan struct{})}
	w.broken.Store(true) // nobody is connected yet
	w.ctx, w.end = context.WithCancel(context.Background())
	return w
}

// discard ends a stream that has not run.
func (w *stream) discard() { w.end() }

// run connects and writes until close.
func (w *stream) run() {
	defer close(w.ended)
	pause, told := firstPause, false
	var rest []byte // frames that the last reader has not got
	for {
		began := time.Now()
		conn, err := w.connect()
		if err == nil {
			w.broken.Store(false)
			w.log.Info("a reader of dnstap is connected", "to", w.address)
			told = false
			rest, err = w.serve(conn, rest)
			conn.Close()
		}
		if w.ctx.Err() != nil {
			break
		}
		w.broken.Store(true)
		if !told {
			w.log.Warn("no reader of dnstap is connected: it is tried again and again", "to", w.address, "error", err)
			told = true
		}
		if time.Since(began) > longPause {
			pause = firstPause
		}
		select {
		case <-time.After(pause):
		case <-w.ctx.Done():
		}
		pause = min(2*pause, longPause)
	}
	w.counts.failed.Add(uint64(countFrames(rest) + countFrames(w.pipe.take(nil))))
}

// connect opens a connection and greets the reader.
func (w *stream) connect() (net.Conn, error) {
	d := net.Dialer{Timeout: greeting}
	conn, err := d.DialContext(w.ctx, w.network, w.address)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(greeting))
	stop := context.AfterFunc(w.ctx, func() { conn.SetDeadline(time.Now()) })
	defer stop()
	if err := dnstap.Begin(conn); err != nil {
		conn.Close()
		return nil, err
	}
	conn.SetDeadline(time.Time{})
	return conn, nil
}

// serve writes rest and then what comes, until the reader has gone or close is called. It returns the frames that have not
// been handed to the kernel whole.
func (w *stream) serve(conn net.Conn, rest []byte) ([]byte, error) {
	stop := context.AfterFunc(w.ctx, func() { conn.SetDeadline(w.until) })
	defer stop()
	// A reader says nothing before its FINISH: what can be read is its end.
	gone, heard := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(heard)
		if err := dnstap.Finished(conn); w.ctx.Err() == nil {
			gone <- err
			conn.Close()
		}
	}()
	var buf []byte
	for {
		var err error
		if rest, err = w.write(conn, rest); err != nil {
			select {
			case err = <-gone:
			default:
			}
			return rest, err
		}
		select {
		case <-w.pipe.more:
			buf = w.pipe.take(buf)
			rest = buf
		case err := <-gone:
			return nil, err
		case <-w.ctx.Done():
			if rest, err = w.write(conn, w.pipe.take(nil)); err == nil {
				conn.Write(dnstap.AppendStop(nil))
				<-heard // the reader has all of it, or takes too long
			}
			return rest, nil
		}
	}
}

// write writes frames, and returns those that it did not.
func (w *stream) write(conn net.Conn, frames []byte) ([]byte, error) {
	for len(frames) > 0 {
		if conn.SetWriteDeadline(time.Now().Add(stall)); w.ctx.Err() != nil {
			conn.SetWriteDeadline(w.until) // one for all that is left: a slow reader gets no more time for each part
		}
		part := frames[:max(wholeFrames(frames, min(len(frames), atOnce)), frameEnd(frames, 0))]
		n, err := conn.Write(part)
		done := wholeFrames(part, n)
		w.counts.written.Add(uint64(countFrames(part[:done])))
		if frames = frames[done:]; err != nil {
			return frames, err
		}
	}
	return nil, nil
}

// atOnce is how many bytes one write has, if they are more than one frame: what a reader takes until it goes is counted
// that well.
const atOnce = 64 << 10

// offer implements output.
func (w *stream) offer(item []byte) bool { return w.pipe.offer(item) }

// fails implements output.
func (w *stream) fails() bool { return w.broken.Load() }

// refresh implements output.
func (w *stream) refresh() {}

// close sends what is left, if a reader takes it soon.
func (w *stream) close() {
	w.until = time.Now().Add(patience)
	w.end()
	<-w.ended
}
