package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// A snapshot, little endian:
//
//	header        128 octets
//	frames        header of 24 octets, then the payload
//	end           a frame that tells how many frames and entries there are
//
// The header:
//
//	0    8   "HEIMDALL"
//	8    2   version
//	10   2   zero
//	12   4   shards
//	16   32  Decides
//	48   8   wall clock, in nanoseconds since 1970
//	56   8   time since the machine was started, in nanoseconds
//	64   16  which start of the machine that was
//	80   44  zero
//	124  4   CRC-32C of the above
//
// A frame:
//
//	0    1   kind
//	1    1   zero
//	2    2   shard
//	4    4   length of the payload in octets
//	8    4   seconds since the header's time
//	12   4   number of the frame, from 0 on
//	16   4   entries
//	20   4   CRC-32C of the above and the payload
//
// The end stands where the file ends, so that one that is torn is known before anything of it is used.
const (
	magic       = "HEIMDALL"
	version     = 1
	headerLen   = 128
	frameHeader = 24
	endLen      = frameHeader + endPayload
	endPayload  = 16

	// MaxPayload bounds the payload of a frame in octets.
	MaxPayload = 256 << 10
)

// Kind says what the entries of a frame are.
type Kind byte

const (
	Answers Kind = 1   // each as cache.NextSaved reads it
	ends    Kind = 255 // the end: the number of frames before it, and of their entries, 8 octets each
)

// Header is how a snapshot begins.
type Header struct {
	Shards  int      // that there were
	Decides [32]byte // a hash of what decides about answers: a cache of another configuration is not taken over
	Time    Time
}

// Frame is a piece of one shard's cache.
type Frame struct {
	Kind    Kind
	Shard   int
	Seconds uint32 // since the header's time
	Entries int
	Payload []byte // borrowed
}

var table = crc32.MakeTable(crc32.Castagnoli)

// ErrForeign is wrapped by the errors about what is no snapshot, or not whole.
var ErrForeign = errors.New("not a whole snapshot of this version")

func foreign(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrForeign, fmt.Sprintf(format, args...))
}

// Writer writes a snapshot. Its methods are called one at a time.
type Writer struct {
	w       io.Writer
	frames  uint64
	entries uint64
	bytes   int64
	head    [frameHeader]byte
}

// NewWriter begins a snapshot.
func NewWriter(w io.Writer, h *Header) (*Writer, error) {
	var b [headerLen]byte
	copy(b[:], magic)
	binary.LittleEndian.PutUint16(b[8:], version)
	binary.LittleEndian.PutUint32(b[12:], uint32(h.Shards))
	copy(b[16:], h.Decides[:])
	binary.LittleEndian.PutUint64(b[48:], uint64(h.Time.Wall))
	binary.LittleEndian.PutUint64(b[56:], uint64(h.Time.Up))
	copy(b[64:], h.Time.Boot[:])
	binary.LittleEndian.PutUint32(b[headerLen-4:], crc32.Checksum(b[:headerLen-4], table))
	out := &Writer{w: w}
	return out, out.write(b[:])
}

func (w *Writer) write(b []byte) error {
	n, err := w.w.Write(b)
	w.bytes += int64(n)
	return err
}

// Frame writes one frame.
func (w *Writer) Frame(f *Frame) error {
	h := w.head[:]
	h[0], h[1] = byte(f.Kind), 0
	binary.LittleEndian.PutUint16(h[2:], uint16(f.Shard))
	binary.LittleEndian.PutUint32(h[4:], uint32(len(f.Payload)))
	binary.LittleEndian.PutUint32(h[8:], f.Seconds)
	binary.LittleEndian.PutUint32(h[12:], uint32(w.frames))
	binary.LittleEndian.PutUint32(h[16:], uint32(f.Entries))
	binary.LittleEndian.PutUint32(h[20:], checksum(h, f.Payload))
	w.frames++
	w.entries += uint64(f.Entries)
	if err := w.write(h); err != nil {
		return err
	}
	return w.write(f.Payload)
}

func checksum(head, payload []byte) uint32 {
	return crc32.Update(crc32.Checksum(head[:frameHeader-4], table), table, payload)
}

// End completes the snapshot. Nothing may be written behind it.
func (w *Writer) End() error {
	var b [endPayload]byte
	binary.LittleEndian.PutUint64(b[:], w.frames)
	binary.LittleEndian.PutUint64(b[8:], w.entries)
	return w.Frame(&Frame{Kind: ends, Payload: b[:]})
}

// Bytes returns how much has been written.
func (w *Writer) Bytes() int64 { return w.bytes }

// Entries returns how many entries have been written.
func (w *Writer) Entries() uint64 { return w.entries }

// Reader reads a snapshot, which may come from a stranger.
type Reader struct {
	Header
	r       *io.SectionReader
	left    uint64 // frames
	number  uint32
	head    [frameHeader]byte
	payload []byte
}

// NewReader reads the header of a snapshot, and looks whether its end is there. What is no whole snapshot is an ErrForeign.
func NewReader(r io.ReaderAt, size int64) (*Reader, error) {
	if size < headerLen+endLen {
		return nil, foreign("it has %d bytes", size)
	}
	var b [headerLen]byte
	if _, err := r.ReadAt(b[:], 0); err != nil {
		return nil, err
	}
	if string(b[:len(magic)]) != magic {
		return nil, foreign("it begins with %q", b[:len(magic)])
	}
	if v := binary.LittleEndian.Uint16(b[8:]); v != version {
		return nil, foreign("it is of version %d, and this is %d", v, version)
	}
	if binary.LittleEndian.Uint32(b[headerLen-4:]) != crc32.Checksum(b[:headerLen-4], table) {
		return nil, foreign("the checksum of its header is wrong")
	}
	out := &Reader{Header: Header{
		Shards: int(binary.LittleEndian.Uint32(b[12:])), Decides: [32]byte(b[16:48]),
		Time: Time{Wall: int64(binary.LittleEndian.Uint64(b[48:])), Up: int64(binary.LittleEndian.Uint64(b[56:])), Boot: [16]byte(b[64:80])},
	}}
	var end [endLen]byte
	if _, err := r.ReadAt(end[:], size-endLen); err != nil {
		return nil, err
	}
	h, p := end[:frameHeader], end[frameHeader:]
	frames := binary.LittleEndian.Uint64(p)
	if Kind(h[0]) != ends || binary.LittleEndian.Uint32(h[4:]) != endPayload || binary.LittleEndian.Uint32(h[20:]) != checksum(h, p) ||
		uint32(frames) != binary.LittleEndian.Uint32(h[12:]) {
		return nil, foreign("it is torn: its end is missing")
	}
	out.left = frames
	out.r = io.NewSectionReader(r, headerLen, size-headerLen-endLen)
	return out, nil
}

// Next reads the next frame, whose payload is borrowed until the next call; io.EOF behind the last one. A frame that is not as
// it was written is an ErrForeign, and ends the snapshot.
func (r *Reader) Next() (f Frame, err error) {
	if r.left == 0 {
		if _, err := r.r.Read(r.head[:1]); err != io.EOF {
			return f, foreign("there is more behind frame %d than the end tells", r.number)
		}
		return f, io.EOF
	}
	if _, err := io.ReadFull(r.r, r.head[:]); err != nil {
		return f, r.cut(err)
	}
	h := r.head[:]
	n := binary.LittleEndian.Uint32(h[4:])
	if n > MaxPayload {
		return f, foreign("frame %d has %d bytes", r.number, n)
	}
	if r.payload == nil {
		r.payload = make([]byte, MaxPayload)
	}
	p := r.payload[:n]
	if _, err := io.ReadFull(r.r, p); err != nil {
		return f, r.cut(err)
	}
	if binary.LittleEndian.Uint32(h[20:]) != checksum(h, p) || binary.LittleEndian.Uint32(h[12:]) != r.number {
		return f, foreign("the checksum of frame %d is wrong", r.number)
	}
	r.left--
	r.number++
	return Frame{
		Kind: Kind(h[0]), Shard: int(binary.LittleEndian.Uint16(h[2:])), Seconds: binary.LittleEndian.Uint32(h[8:]),
		Entries: int(binary.LittleEndian.Uint32(h[16:])), Payload: p,
	}, nil
}

// cut is the error of a frame that is not there as a whole.
func (r *Reader) cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return foreign("it ends in frame %d", r.number)
	}
	return err
}
