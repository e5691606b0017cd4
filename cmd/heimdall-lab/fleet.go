package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"heimdall/cmd/heimdall-lab/lab"
)

// fleet makes a fleet, does to its preferred server what may happen to one, and tells what a client has lost each time. It is
// an error if it has lost a query where it must not.
func fleet(ctx context.Context, binary string, out io.Writer) (err error) {
	f, err := lab.NewFleet(ctx, binary)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil && ctx.Err() == nil {
			fmt.Fprint(out, f.Log())
		}
		err = errors.Join(err, f.Close())
	}()
	trials := f.Trials()
	fmt.Fprintf(out, "%-50s %9s %6s %12s\n", "what happens to the preferred of two servers", "queries", "lost", "for at most")
	for _, t := range trials {
		loss, err := f.Try(ctx, &t)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%-50s %9d %6d %12s\n", t.What, loss.Sent, loss.Lost, loss.Gap.Round(10*time.Millisecond))
		if t.Lossless && loss.Lost > 0 {
			return fmt.Errorf("%s: %d queries were lost, and none may be", t.What, loss.Lost)
		}
	}
	return nil
}
