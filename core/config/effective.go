package config

import (
	"reflect"
	"slices"
)

// Effective returns what is in force once next is read by a process that runs by now: the values of next, and those of now
// for keys that only a restart changes, as the key table has it, and for the keys in fixed. waiting lists the keys whose
// values in next wait for a restart, in the order of the key table. Problems are placed in the text of next.
func Effective(now, next *Config, fixed ...string) (c *Config, waiting []string) {
	c = new(*next)
	for i := range keys {
		k := &keys[i]
		if k.Reload && !slices.Contains(fixed, k.Name) {
			continue
		}
		if format(k.field(now)) != format(k.field(next)) {
			waiting = append(waiting, k.Name)
		}
		reflect.ValueOf(k.field(c)).Elem().Set(reflect.ValueOf(k.field(now)).Elem())
	}
	return c, waiting
}
