// Package dname handles domain names in wire form (RFC 1035, section 3.1): labels with a length octet
// each, ending with the root's zero octet.
//
// Names are borrowed slices: a function that returns a Name returns a piece of its argument unless
// it takes a dst to append to. Nothing here allocates but the conversions to and from text. All
// functions are safe for concurrent use as long as nobody writes to the names.
package dname

const (
	// MaxLen is the longest name in octets, length octets and root included (RFC 1035, section 3.1).
	MaxLen = 255
	// MaxLabelLen is the longest label in octets without its length octet (RFC 1035, section 3.1).
	MaxLabelLen = 63
	// MaxLabels is the number of labels that a name can have besides the root's: one-octet labels
	// take two octets each of the 254 that precede the root.
	MaxLabels = 127
)

// Name is an uncompressed domain name in wire form, the root's zero octet included, in any letter
// case. The zero value, nil, is no name at all; the root is one zero octet.
//
// The methods trust a Name to be well formed, as Parse, Unpack and ParseText return it.
type Name []byte

// Root returns the name of the root zone. The caller must not write to it.
func Root() Name { return root }

var root = Name{0}

// Parse takes the uncompressed name that b begins with; n is b up to and including the root label.
// It fails on a compression pointer, a reserved label type, a name longer than 255 octets, and when b
// ends too soon.
func Parse(b []byte) (n Name, ok bool) {
	// RFC 1035, section 2.3.4: the root's octet stands at index 254 at the latest.
	b = b[:min(len(b), MaxLen)]
	for i := 0; i < len(b); {
		c := int(b[i])
		if c == 0 {
			return Name(b[: i+1 : i+1]), true
		}
		if c > MaxLabelLen {
			return nil, false
		}
		i += 1 + c
	}
	return nil, false
}

// IsRoot reports whether n is the root.
func (n Name) IsRoot() bool { return len(n) == 1 }

// IsWildcard reports whether the first label of n is an asterisk (RFC 4592, section 2.1.1).
func (n Name) IsWildcard() bool { return len(n) > 2 && n[0] == 1 && n[1] == '*' }

// Labels counts the labels of n, the root's not among them, as the Labels field of an RRSIG does
// except for a wildcard's asterisk (RFC 4034, section 3.1.3).
func (n Name) Labels() int {
	count := 0
	for i := 0; i < len(n) && n[i] != 0; i += 1 + int(n[i]) {
		count++
	}
	return count
}

// Parent returns n without its first label, nil for the root.
func (n Name) Parent() Name {
	if len(n) <= 1 {
		return nil
	}
	return n[1+int(n[0]):]
}

// Label returns the first label of n without its length octet, empty for the root.
func (n Name) Label() []byte {
	if len(n) <= 1 {
		return nil
	}
	return n[1 : 1+int(n[0])]
}

// Suffix returns the last labels labels of n: the root for 0, n itself when it has no more.
func (n Name) Suffix(labels int) Name {
	for drop := n.Labels() - labels; drop > 0; drop-- {
		n = n.Parent()
	}
	return n
}
