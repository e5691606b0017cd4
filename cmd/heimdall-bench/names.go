package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// names is the set of questions a run draws from. Implementations are read-only
// after construction, so that all threads share one.
type names interface {
	// count returns how many questions there are.
	count() uint64
	// question appends the question section for question i in wire form.
	question(dst []byte, i uint64) []byte
	// expect returns what a right reply to question i says.
	expect(i uint64) expectation
	// zone returns the name, in wire form, below which an attack invents names.
	zone() []byte
}

// expectation is what a right reply says.
type expectation struct {
	rcode uint8      // or anyRcode
	addr  netip.Addr // one of the addresses in the answer; the zero value: not checked
}

// anyRcode expects NOERROR or NXDOMAIN.
const anyRcode = 255

// pattern is the names h0.example, h1.example, … with ascending addresses.
type pattern struct {
	n      uint64
	before []byte // wire form of the labels left of the numbered one
	head   string // text of the numbered label before the number
	tail   string // and after it
	after  []byte // wire form of the rest, root included
	qtype  uint16
	base   netip.Addr // of name 0; the zero value: addresses are not checked
}

// newPattern parses text such as "h%d.example".
func newPattern(text string, n uint64, qtype uint16, base netip.Addr) (*pattern, error) {
	labels := strings.Split(strings.TrimSuffix(text, "."), ".")
	p := &pattern{n: n, qtype: qtype, base: base}
	at := -1
	for i, label := range labels {
		head, tail, numbered := strings.Cut(label, "%d")
		switch {
		case numbered && at < 0:
			at, p.head, p.tail = i, head, tail
		case numbered || strings.Contains(label, "%"):
			return nil, fmt.Errorf("pattern %q: want %%d once and no other %%", text)
		case label == "" || len(label) > 63:
			return nil, fmt.Errorf("pattern %q: a label must have 1 to 63 characters", text)
		case at < 0:
			p.before = append(append(p.before, byte(len(label))), label...)
		default:
			p.after = append(append(p.after, byte(len(label))), label...)
		}
	}
	p.after = append(p.after, 0)
	if at < 0 {
		return nil, fmt.Errorf("pattern %q: %%d is missing", text)
	}
	if n == 0 {
		return nil, fmt.Errorf("pattern %q: want at least one name", text)
	}
	if longest := p.question(nil, n-1); len(p.head)+len(p.tail)+20 > 63 || len(longest) > 255 {
		return nil, fmt.Errorf("pattern %q: its names are too long", text)
	}
	return p, nil
}

func (p *pattern) count() uint64 { return p.n }
func (p *pattern) zone() []byte  { return p.after }

func (p *pattern) question(dst []byte, i uint64) []byte {
	dst = append(dst, p.before...)
	length := len(dst)
	dst = append(dst, 0)
	dst = append(dst, p.head...)
	dst = strconv.AppendUint(dst, i, 10)
	dst = append(dst, p.tail...)
	dst[length] = byte(len(dst) - length - 1)
	dst = append(dst, p.after...)
	return append(dst, byte(p.qtype>>8), byte(p.qtype), 0, 1)
}

func (p *pattern) expect(i uint64) expectation {
	switch {
	case !p.base.IsValid():
		return expectation{}
	case p.base.Is4():
		a := p.base.As4()
		binary.BigEndian.PutUint32(a[:], binary.BigEndian.Uint32(a[:])+uint32(i))
		return expectation{addr: netip.AddrFrom4(a)}
	}
	a := p.base.As16()
	binary.BigEndian.PutUint64(a[8:], binary.BigEndian.Uint64(a[8:])+i)
	return expectation{addr: netip.AddrFrom16(a)}
}

// list is the questions of a file.
type list struct {
	wire   []byte // all question sections, one after the other
	ends   []uint32
	want   []expectation
	parent []byte
}

// readList reads lines of the form "name type [address | RCODE]". Empty lines and
// what follows a # are ignored. Without a third field NOERROR and NXDOMAIN are
// both right.
func readList(r io.Reader) (*list, error) {
	l := new(list)
	in := bufio.NewScanner(r)
	for line := 1; in.Scan(); line++ {
		text, _, _ := strings.Cut(in.Text(), "#")
		fields := strings.Fields(text)
		if len(fields) == 0 {
			continue
		}
		if err := l.add(fields); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
	}
	if err := in.Err(); err != nil {
		return nil, err
	}
	if len(l.ends) == 0 {
		return nil, fmt.Errorf("no names")
	}
	return l, nil
}

func (l *list) add(fields []string) error {
	if len(fields) < 2 || len(fields) > 3 {
		return fmt.Errorf("want name, type and perhaps an address or RCODE, found %d fields", len(fields))
	}
	var buf [256]byte
	n, err := dns.PackDomainName(dns.Fqdn(fields[0]), buf[:], 0, nil, false)
	if err != nil {
		return fmt.Errorf("name %q: %w", fields[0], err)
	}
	qtype, err := parseType(fields[1])
	if err != nil {
		return err
	}
	want := expectation{rcode: anyRcode}
	if len(fields) == 3 {
		if addr, err := netip.ParseAddr(fields[2]); err == nil {
			want = expectation{addr: addr}
		} else if rcode, ok := dns.StringToRcode[strings.ToUpper(fields[2])]; ok && rcode < 16 {
			want.rcode = uint8(rcode)
		} else {
			return fmt.Errorf("%q is neither an address nor an RCODE", fields[2])
		}
	}
	l.wire = append(l.wire, buf[:n]...)
	l.wire = append(l.wire, byte(qtype>>8), byte(qtype), 0, 1)
	l.ends = append(l.ends, uint32(len(l.wire)))
	l.want = append(l.want, want)
	if l.parent == nil {
		l.parent = append([]byte{}, buf[min(int(buf[0])+1, n-1):n]...)
	}
	return nil
}

func (l *list) count() uint64               { return uint64(len(l.ends)) }
func (l *list) zone() []byte                { return l.parent }
func (l *list) expect(i uint64) expectation { return l.want[i] }

func (l *list) question(dst []byte, i uint64) []byte {
	start := uint32(0)
	if i > 0 {
		start = l.ends[i-1]
	}
	return append(dst, l.wire[start:l.ends[i]]...)
}

// parseType reads a mnemonic or TYPEnnn.
func parseType(text string) (uint16, error) {
	upper := strings.ToUpper(text)
	if t, ok := dns.StringToType[upper]; ok {
		return t, nil
	}
	if n, err := strconv.ParseUint(strings.TrimPrefix(upper, "TYPE"), 10, 16); err == nil && strings.HasPrefix(upper, "TYPE") {
		return uint16(n), nil
	}
	return 0, fmt.Errorf("%q is not an RR type", text)
}
