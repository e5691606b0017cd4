package ebpf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cilium/ebpf/ringbuf"
)

// SetMinHits has the program tell of each question that was asked n times without a hot answer, 65535 at most,
// and of each whose answer has expired or was flushed, once a second; 0: of none.
func (p *Program) SetMinHits(n uint16) error { return p.objs.MinHits.Set(uint32(n)) }

// Nominees appends up to limit of the questions that the program has told of to dst, without waiting for any.
// Their names borrow from names, which is emptied first and returned for the next call.
func (p *Program) Nominees(dst []Question, names []byte, limit int) ([]Question, []byte, error) {
	p.reading.Lock()
	defer p.reading.Unlock()
	names = names[:0]
	for range limit {
		err := p.nominees.ReadInto(&p.record)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			return dst, names, fmt.Errorf("read the questions without a hot answer: %w", err)
		}
		var q Question
		if q, names, err = parseNominee(p.record.RawSample, names); err != nil {
			return dst, names, err
		}
		dst = append(dst, q)
	}
	return dst, names, nil
}

// Waiting returns how many questions Nominees would find.
func (p *Program) Waiting() int {
	const header = 8 // of each record (Documentation/bpf/ringbuf.rst)
	return p.nominees.AvailableBytes() / (header + nomineeLen)
}

// openNominees opens the ring that they come through.
func (p *Program) openNominees() (err error) {
	if p.nominees, err = ringbuf.NewReader(p.objs.Nominees); err != nil {
		return explain("open the ring of questions without a hot answer", err)
	}
	p.nominees.SetDeadline(time.Unix(1, 0)) // in the past: it never waits
	return nil
}

// nomineeLen is the size of struct nominee in c/layout.h.
const nomineeLen = 72

// parseNominee reads a struct nominee. The name is appended to names.
func parseNominee(raw, names []byte) (Question, []byte, error) {
	if len(raw) < nomineeLen || int(raw[MaxName+3]) > MaxName {
		return Question{}, names, fmt.Errorf("read a question without a hot answer: %d octets of another layout", len(raw))
	}
	at := len(names)
	names = append(names, raw[:raw[MaxName+3]]...)
	return Question{
		Name: names[at:len(names):len(names)],
		Type: binary.BigEndian.Uint16(raw[MaxName:]),
		DO:   raw[MaxName+2]&bitDO != 0,
		CD:   raw[MaxName+2]&bitCD != 0,
	}, names, nil
}
