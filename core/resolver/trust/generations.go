package trust

import "maps"

// generations is a map of bounded size that forgets what was not looked up for longest, in two steps: when the
// young half is full it becomes the old one, and the old one goes. What was just put, or found, is safe for at
// least a whole half. The zero value is empty and takes nothing; see newGenerations.
type generations[T weighed] struct {
	young, old map[string]T
	half       int  // bytes of each map at most
	weight     int  // bytes of young
	quiet      bool // what is found stays where it is
}

// weighed is what tells about how many bytes it takes.
type weighed interface{ bytes() int }

// perEntry is what an entry takes of a map besides its key and value, in bytes: 24 for them in half full groups of eight.
const perEntry = 64

func newGenerations[T weighed](half int) generations[T] {
	return generations[T]{young: make(map[string]T), half: half}
}

// get finds an entry and makes it young, unless it is to be quiet. Only that allocates.
func (g *generations[T]) get(key []byte) (v T, ok bool) {
	if v, ok = g.young[string(key)]; ok {
		return v, true
	}
	if v, ok = g.old[string(key)]; ok && !g.quiet {
		delete(g.old, string(key))
		g.put(key, v)
	}
	return v, ok
}

// put keeps an entry, if it is not larger than a half.
func (g *generations[T]) put(key []byte, v T) {
	g.remove(key)
	size := v.bytes() + 2*len(key) + perEntry
	if size > g.half {
		return
	}
	if g.weight+size > g.half {
		g.old, g.young, g.weight = g.young, make(map[string]T), 0
	}
	g.weight += size
	g.young[string(key)] = v
}

func (g *generations[T]) remove(key []byte) {
	if v, ok := g.young[string(key)]; ok {
		g.weight -= v.bytes() + 2*len(key) + perEntry
		delete(g.young, string(key))
	}
	delete(g.old, string(key))
}

// removeIf removes all entries whose keys match.
func (g *generations[T]) removeIf(match func(key string) bool) {
	maps.DeleteFunc(g.old, func(key string, _ T) bool { return match(key) })
	for key := range g.young {
		if match(key) {
			g.remove([]byte(key))
		}
	}
}
