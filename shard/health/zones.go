package health

import (
	"fmt"
	"math/rand/v2"

	"heimdall/core/control"
	"heimdall/core/dname"
)

// zonesAtOnce is of how many zones the shards are asked at each look, so that its cost is bounded.
const zonesAtOnce = 16

// some returns a few of the apexes: with many zones others each time. It changes the order of list.
func some(list []dname.Name) []dname.Name {
	few := min(zonesAtOnce, len(list))
	for i := range few {
		other := i + rand.IntN(len(list)-i)
		list[i], list[other] = list[other], list[i]
	}
	return list[:few]
}

// named bounds the zones that a check names.
const named = 3

// ready is the check whether all zones have a version.
func ready(with int, without []dname.Name) control.HealthCheck {
	check := control.HealthCheck{Check: "zones", OK: len(without) == 0, Found: fmt.Sprintf("%d of %d have a version", with, with+len(without))}
	if check.OK {
		return check
	}
	check.Found += "; none has"
	for _, apex := range without[:min(named, len(without))] {
		check.Found += " " + apex.String()
	}
	if more := len(without) - named; more > 0 {
		check.Found += fmt.Sprintf(" and %d more", more)
	}
	check.Found += ": `heimdallctl zones` tells why"
	return check
}
