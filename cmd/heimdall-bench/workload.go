package main

// workload says what the packet for a key looks like and what a right reply to it
// is. Each stream of each thread has its own.
type workload interface {
	// packet writes the packet for key into dst, which has room for maxPacket octets.
	packet(dst []byte, id uint16, key uint64) []byte
	// check judges a reply whose ID was right.
	check(reply []byte, key uint64) verdict
}

// maxPacket is the largest packet a workload builds, in octets. The longest name
// is 255 octets; one malformed packet has a name of 321.
const maxPacket = 512

// header appends a query's header: recursion desired, one question.
func header(dst []byte, id uint16) []byte {
	return append(dst, byte(id>>8), byte(id), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0)
}

// lookups is well-formed queries for known names.
type lookups struct {
	names names
	edns  bool // add an OPT record with a payload size of 1232 octets

	want []byte // scratch: the question expected
}

func (l *lookups) packet(dst []byte, id uint16, key uint64) []byte {
	dst = l.names.question(header(dst, id), key)
	if l.edns {
		dst[11] = 1
		dst = append(dst, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0)
	}
	return dst
}

func (l *lookups) check(reply []byte, key uint64) verdict {
	l.want = l.names.question(l.want[:0], key)
	return checkReply(reply, l.want, l.names.expect(key))
}

// flood is queries for names that do not exist and that nobody asked for before,
// below a zone. What the reply says is the server's affair: it may well refuse.
type flood struct {
	zone []byte
	want []byte
}

func (f *flood) packet(dst []byte, id uint16, key uint64) []byte {
	return f.question(header(dst, id), key)
}

func (f *flood) question(dst []byte, key uint64) []byte {
	const letters = 12 // 60 bits of the key
	dst = append(dst, letters)
	for v, i := mix(key), 0; i < letters; i++ {
		dst = append(dst, "abcdefghijklmnopqrstuvwxyz234567"[v&31])
		v >>= 5
	}
	dst = append(dst, f.zone...)
	return append(dst, 0, 1, 0, 1)
}

func (f *flood) check(reply []byte, key uint64) verdict {
	f.want = f.question(f.want[:0], key)
	return checkEcho(reply, f.want)
}

// mix spreads consecutive numbers over all 64-bit ones (SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
