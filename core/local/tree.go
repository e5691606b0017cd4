package local

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// tree holds names by their labels from the root down, so that a lookup ends at the first label that is
// unknown. Nodes have numbers; 0 is the root.
type tree struct {
	nodes   []node
	edges   []edge // hash table with linear probing; a power of two, at most half full
	longest int    // octets of the longest label
}

type node struct {
	label   []byte // lower case
	records []record
	zone    *zone // not nil: a special zone begins here
	cut     bool  // a configured zone begins here: nothing from here on is answered
}

// edge leads from a node to a child; child 0 marks a free place.
type edge struct{ hash, parent, child uint32 }

// record is a resource record without its owner, in wire form.
type record struct {
	typ  wire.Type
	body []byte
}

func newTree() tree { return tree{nodes: make([]node, 1), edges: make([]edge, 8)} }

// child returns the child of parent with the given label in any letter case, or 0.
func (t *tree) child(parent uint32, label []byte) uint32 {
	if len(label) > t.longest {
		return 0
	}
	h := hashLabel(parent, label)
	for i := h; ; i++ {
		e := &t.edges[i&uint32(len(t.edges)-1)]
		if e.child == 0 {
			return 0
		}
		if e.hash == h && e.parent == parent && equalLower(t.nodes[e.child].label, label) {
			return e.child
		}
	}
}

// node returns the node of name, and makes it and those above it when they are missing. The pointer is valid
// until the next call.
func (t *tree) node(name dname.Name) *node {
	at := uint32(0)
	for labels := 1; labels <= name.Labels(); labels++ {
		label := name.Suffix(labels).Label()
		next := t.child(at, label)
		if next == 0 {
			next = t.add(at, label)
		}
		at = next
	}
	return &t.nodes[at]
}

func (t *tree) add(parent uint32, label []byte) uint32 {
	child := uint32(len(t.nodes))
	t.nodes = append(t.nodes, node{label: dname.AppendLower(nil, label)})
	t.longest = max(t.longest, len(label))
	if len(t.nodes)*2 > len(t.edges) {
		old := t.edges
		t.edges = make([]edge, 2*len(old))
		for _, e := range old {
			if e.child != 0 {
				t.link(e)
			}
		}
	}
	t.link(edge{hashLabel(parent, label), parent, child})
	return child
}

func (t *tree) link(e edge) {
	i := e.hash
	for t.edges[i&uint32(len(t.edges)-1)].child != 0 {
		i++
	}
	t.edges[i&uint32(len(t.edges)-1)] = e
}

// hashLabel is FNV-1a over parent and the label. Setting bit 5 folds the letter cases together; what else it
// folds is told apart by equalLower.
func hashLabel(parent uint32, label []byte) uint32 {
	const prime = 16777619
	h := (2166136261 ^ parent) * prime
	for _, c := range label {
		h = (h ^ uint32(c|0x20)) * prime
	}
	return h ^ h>>15
}

// equalLower tells whether label is lower in some letter case.
func equalLower(lower, label []byte) bool {
	if len(lower) != len(label) {
		return false
	}
	for i, c := range label {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// tailSet is a set of the last two octets of top-level labels, five bits each: what keeps nearly all names
// away from the tree.
type tailSet [32]uint32

func (s *tailSet) add(name dname.Name) {
	s[name[len(name)-3]&31] |= 1 << (name[len(name)-2] & 31)
}

func (s *tailSet) has(name dname.Name) bool {
	return len(name) >= 3 && s[name[len(name)-3]&31]&(1<<(name[len(name)-2]&31)) != 0
}
