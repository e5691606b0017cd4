package zones

import (
	"context"
	"errors"
	"fmt"

	"heimdall/affinity"
)

// Check loads all zones of a configuration and forgets them. It serves none.
func Check(ctx context.Context, list []Zone) (warnings []string, err error) {
	var errs []error
	for _, z := range list {
		r := read(ctx, z, func(size int) ([]byte, error) { return mapNear(affinity.AnyNode, size, false) }, func(progress) {})
		affinity.Unmap(r.mem)
		errs = append(errs, r.err)
		for _, w := range r.warnings {
			warnings = append(warnings, fmt.Sprintf("zone %s: %s", z.Name, w))
		}
	}
	return warnings, errors.Join(errs...)
}
