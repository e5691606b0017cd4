package resolver

import "maps"

// generations is a map of bounded size that forgets what was not looked up for longest, in two steps: when the
// young half is full it becomes the old one, and the old one goes. What was just put, or found, is safe for at
// least a whole half. The zero value is empty and takes nothing; see newGenerations.
type generations[T any] struct {
	young, old map[string]T
	half       int // entries of each map at most
}

func newGenerations[T any](half int) generations[T] {
	return generations[T]{young: make(map[string]T), half: half}
}

// get finds an entry and makes it young. Only that allocates.
func (g *generations[T]) get(key []byte) (v T, ok bool) {
	if v, ok = g.young[string(key)]; ok {
		return v, true
	}
	if v, ok = g.old[string(key)]; ok {
		delete(g.old, string(key))
		g.put(key, v)
	}
	return v, ok
}

func (g *generations[T]) put(key []byte, v T) {
	if _, known := g.young[string(key)]; !known && len(g.young) >= g.half {
		g.old, g.young = g.young, make(map[string]T)
	}
	g.young[string(key)] = v
}

func (g *generations[T]) remove(key []byte) {
	delete(g.young, string(key))
	delete(g.old, string(key))
}

// removeIf removes all entries whose keys match.
func (g *generations[T]) removeIf(match func(key string) bool) {
	for _, m := range [2]map[string]T{g.young, g.old} {
		maps.DeleteFunc(m, func(key string, _ T) bool { return match(key) })
	}
}
