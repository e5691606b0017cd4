package page

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Bounds of what is counted.
const (
	// halfLife is the time in which what was asked loses half of its weight.
	halfLife = 2 * time.Minute
	// maxCounted is how many names and clients are counted, each. When there are more, the lightest half is forgotten.
	maxCounted = 4096
	// least is the weight of what is forgotten: a query loses so much of its weight in a quarter of an hour.
	least = 0.01
	// shown is how many of them are shown.
	shown = 15
)

// top counts who asks for what, in samples. The zero value has none.
type top struct {
	names, clients map[string]float64
	total          float64
}

// add counts the samples of one interval.
func (t *top) add(list []Sample) {
	if t.names == nil {
		t.names, t.clients = map[string]float64{}, map[string]float64{}
	}
	fade := math.Exp2(-interval.Seconds() / halfLife.Seconds())
	for _, m := range []map[string]float64{t.names, t.clients} {
		for k := range m {
			if m[k] *= fade; m[k] < least {
				delete(m, k)
			}
		}
	}
	t.total *= fade
	for _, s := range list {
		t.names[s.Name] += float64(s.Weight)
		t.clients[s.Client.String()] += float64(s.Weight)
		t.total += float64(s.Weight)
	}
	forget(t.names)
	forget(t.clients)
}

func forget(m map[string]float64) {
	if len(m) <= maxCounted {
		return
	}
	for _, key := range heaviest(m)[maxCounted/2:] {
		delete(m, key)
	}
}

// heaviest returns the keys of m, those with most weight first.
func heaviest(m map[string]float64) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		switch {
		case m[a] > m[b]:
			return -1
		case m[a] < m[b]:
			return 1
		}
		return strings.Compare(a, b)
	})
}

// share is a name or a client with its part of all queries.
type share struct {
	What  string  `json:"what"`
	Share float64 `json:"share"` // of 1
}

func (t *top) shares(m map[string]float64) []share {
	list := []share{}
	for _, key := range heaviest(m) {
		if len(list) == shown {
			break
		}
		list = append(list, share{key, m[key] / t.total})
	}
	return list
}
