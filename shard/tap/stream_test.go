package tap

import (
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"heimdall/shard/tap/dnstap"
)

// A reader that takes a little now and then, and so would hold up the end for as long as it likes, does not get all: the end
// is bounded as a whole.
func TestStreamEndsOnASlowReader(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	greeted := make(chan struct{})
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		if err := acceptStream(conn); err != nil {
			t.Error(err)
		}
		close(greeted)
		for part := make([]byte, atOnce); err == nil; time.Sleep(patience / 8) {
			_, err = io.ReadFull(conn, part)
		}
	}()
	c := new(counts)
	w := newStream("unix", path, c, slog.New(slog.DiscardHandler))
	go w.run()
	<-greeted
	frame := binary.BigEndian.AppendUint32(nil, 1000)
	frame = append(frame, make([]byte, 1000)...)
	items := uint64(0)
	for w.offer(frame) {
		items++
	}
	w.close()
	if c.failed.Load() == 0 || c.written.Load()+c.failed.Load() != items {
		t.Errorf("of %d frames, %d written and %d lost", items, c.written.Load(), c.failed.Load())
	}
}

// acceptStream answers the handshake as a reader does.
func acceptStream(conn net.Conn) error {
	frame := dnstap.AppendStart(nil)
	const control = 11                                  // where its type ends: READY 4, ACCEPT 1, START 2, all else the same
	if _, err := io.ReadFull(conn, frame); err != nil { // READY
		return err
	}
	frame[control] = 1
	if _, err := conn.Write(frame); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, frame) // START
	return err
}
