package shard

import (
	"reflect"

	"heimdall/core/histogram"
)

// Accumulate adds to the counters of s those of a shard that has ended. The types tell them apart: counters are uint64;
// figures of the present are int, and stay as they are.
func (s *Snapshot) Accumulate(past *Snapshot) {
	accumulate(reflect.ValueOf(s).Elem(), reflect.ValueOf(past).Elem())
}

func accumulate(to, from reflect.Value) {
	switch to.Kind() {
	case reflect.Uint64:
		to.SetUint(to.Uint() + from.Uint())
	case reflect.Array:
		for i := range to.Len() {
			accumulate(to.Index(i), from.Index(i))
		}
	case reflect.Struct:
		if h, ok := to.Addr().Interface().(*histogram.Histogram); ok {
			h.Merge(from.Addr().Interface().(*histogram.Histogram))
			return
		}
		for i := range to.NumField() {
			accumulate(to.Field(i), from.Field(i))
		}
	}
}
