package shard

import (
	"reflect"
	"testing"

	"heimdall/core/histogram"
)

// Every counter of a snapshot is added, and what tells of the present is not.
func TestAccumulate(t *testing.T) {
	var past, s Snapshot
	n := uint64(0)
	number(reflect.ValueOf(&past).Elem(), &n)
	past.Latency[WaitedTCP].RecordN(100, 7)
	s.Waiting, s.Engine.Queries, s.Cache.Store.Entries = 3, 1000, 5
	s.Latency[WaitedTCP].RecordN(100, 2)
	s.Accumulate(&past)
	s.Accumulate(&past)
	if s.Waiting != 3 || s.Cache.Store.Entries != 5 || s.TCP.Open != 0 || s.Resolver.Tasks != 0 {
		t.Errorf("what tells of the present has changed: %+v", s)
	}
	if s.Engine.Queries -= 1000; s.Latency[WaitedTCP].Count() != 16 {
		t.Errorf("%d times are in the histogram", s.Latency[WaitedTCP].Count())
	}
	twice(t, "snapshot", reflect.ValueOf(&s).Elem(), reflect.ValueOf(&past).Elem())
	if n < 100 {
		t.Errorf("only %d fields were compared", n)
	}
}

// number gives every field a number of its own.
func number(v reflect.Value, n *uint64) {
	switch v.Kind() {
	case reflect.Uint64:
		*n++
		v.SetUint(*n)
	case reflect.Int:
		*n++
		v.SetInt(int64(*n))
	case reflect.Array:
		for i := range v.Len() {
			number(v.Index(i), n)
		}
	case reflect.Struct:
		if v.Type() != reflect.TypeFor[histogram.Histogram]() {
			for i := range v.NumField() {
				number(v.Field(i), n)
			}
		}
	}
}

// twice checks that all counters of got are two times those of past.
func twice(t *testing.T, path string, got, past reflect.Value) {
	t.Helper()
	switch got.Kind() {
	case reflect.Uint64:
		if got.Uint() != 2*past.Uint() {
			t.Errorf("%s: %d, want twice %d", path, got.Uint(), past.Uint())
		}
	case reflect.Array:
		for i := range got.Len() {
			twice(t, path, got.Index(i), past.Index(i))
		}
	case reflect.Struct:
		if got.Type() != reflect.TypeFor[histogram.Histogram]() {
			for i := range got.NumField() {
				twice(t, path+"."+got.Type().Field(i).Name, got.Field(i), past.Field(i))
			}
		}
	}
}
