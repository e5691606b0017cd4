package dnstap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ContentType names what frames carry.
const ContentType = "protobuf:dnstap.Dnstap"

// control is the type of a control frame.
type control uint32

const (
	accept control = 1
	start  control = 2
	stop   control = 3
	ready  control = 4
	finish control = 5
)

// String returns the type as the specification of Frame Streams has it.
func (c control) String() string {
	names := [...]string{accept: "ACCEPT", start: "START", stop: "STOP", ready: "READY", finish: "FINISH"}
	if c == 0 || int(c) >= len(names) {
		return fmt.Sprintf("control frame %d", uint32(c))
	}
	return names[c]
}

const (
	contentTypeField = 1
	// maxControl is the longest control frame, in octets (FSTRM_CONTROL_FRAME_LENGTH_MAX).
	maxControl = 512
)

// appendControl appends a control frame, with the content type if it has one.
func appendControl(dst []byte, c control, typed bool) []byte {
	n := uint32(4)
	if typed {
		n += 8 + uint32(len(ContentType))
	}
	dst = append(dst, 0, 0, 0, 0) // an escape: no data frame is empty
	dst = binary.BigEndian.AppendUint32(dst, n)
	dst = binary.BigEndian.AppendUint32(dst, uint32(c))
	if typed {
		dst = binary.BigEndian.AppendUint32(dst, contentTypeField)
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(ContentType)))
		dst = append(dst, ContentType...)
	}
	return dst
}

// AppendStart appends what begins a stream or a file.
func AppendStart(dst []byte) []byte { return appendControl(dst, start, true) }

// AppendStop appends what ends a stream or a file.
func AppendStop(dst []byte) []byte { return appendControl(dst, stop, false) }

// ErrProtocol is wrapped by errors about what the reader at the other end says.
var ErrProtocol = errors.New("it does not speak Frame Streams as a reader of dnstap does")

// Begin agrees with a reader on the content type, and begins the stream.
func Begin(conn io.ReadWriter) error {
	if _, err := conn.Write(appendControl(nil, ready, true)); err != nil {
		return err
	}
	if err := await(conn, accept); err != nil {
		return err
	}
	_, err := conn.Write(AppendStart(nil))
	return err
}

// Finished returns nil when a reader says that it has all of a stream that has been stopped, and an error when it ends
// otherwise.
func Finished(conn io.Reader) error { return await(conn, finish) }

// await reads the control frame that has to come.
func await(from io.Reader, want control) error {
	var buf [maxControl]byte
	head := buf[:8]
	if _, err := io.ReadFull(from, head); err != nil {
		return fmt.Errorf("wait for %v: %w", want, err)
	}
	if binary.BigEndian.Uint32(head) != 0 {
		return fmt.Errorf("%w: a data frame in place of %v", ErrProtocol, want)
	}
	n := binary.BigEndian.Uint32(head[4:])
	if n > maxControl {
		return fmt.Errorf("%w: a control frame of %d octets", ErrProtocol, n)
	}
	body := buf[:n]
	if _, err := io.ReadFull(from, body); err != nil {
		return fmt.Errorf("wait for %v: %w", want, err)
	}
	got, types, err := parseControl(body)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%w: %v in place of %v", ErrProtocol, got, want)
	}
	if want == accept && !offers(types) {
		return fmt.Errorf("%w: it does not take the content type %s", ErrProtocol, ContentType)
	}
	return nil
}

// parseControl reads a control frame behind its length, and the content types in it.
func parseControl(body []byte) (c control, types []string, err error) {
	if len(body) < 4 {
		return 0, nil, fmt.Errorf("%w: a control frame of %d octets", ErrProtocol, len(body))
	}
	c, body = control(binary.BigEndian.Uint32(body)), body[4:]
	for len(body) > 0 {
		if len(body) < 8 {
			return 0, nil, fmt.Errorf("%w: a field of a control frame is cut", ErrProtocol)
		}
		field, n := binary.BigEndian.Uint32(body), binary.BigEndian.Uint32(body[4:])
		if body = body[8:]; uint64(n) > uint64(len(body)) {
			return 0, nil, fmt.Errorf("%w: a field of a control frame is cut", ErrProtocol)
		}
		if field == contentTypeField {
			types = append(types, string(body[:n]))
		}
		body = body[n:]
	}
	return c, types, nil
}

// offers tells whether a reader takes our content type: one that names none takes any.
func offers(types []string) bool {
	for _, t := range types {
		if t == ContentType {
			return true
		}
	}
	return len(types) == 0
}
