package lab

import "context"

// Trial is what may happen to the preferred server of a fleet.
type Trial struct {
	What     string
	Lossless bool // no query may be lost

	do   func(context.Context) error // until the client has who it should have
	back func() error                // what brings the server back
}

// Trials are all of them, in an order in which they may follow each other.
func (f *Fleet) Trials() []Trial {
	a, b := f.Members()
	other := func(ctx context.Context) error { return f.Answers(ctx, b) }
	return []Trial{
		{What: "upgraded (heimdallctl upgrade)", Lossless: true, do: a.Upgrade},
		{What: "stopped (SIGTERM)", Lossless: true, do: func(ctx context.Context) error {
			if err := a.Stop(); err != nil {
				return err
			}
			return other(ctx)
		}},
		{What: "started again", Lossless: true, do: func(ctx context.Context) error {
			if err := a.Start(); err != nil {
				return err
			}
			return f.Whole(ctx)
		}},
		{What: "killed (SIGKILL), nobody sees it: the lease ends", back: a.Start, do: func(ctx context.Context) error {
			a.Kill()
			return other(ctx)
		}},
		{What: "killed (SIGKILL), then heimdalld -withdraw", back: a.Start, do: func(ctx context.Context) error {
			a.Kill()
			if err := a.Withdraw(); err != nil {
				return err
			}
			return other(ctx)
		}},
		{What: "the machine hangs: BFD ends", back: func() error { a.Wake(); return nil }, do: func(ctx context.Context) error {
			a.Hang()
			return other(ctx)
		}},
	}
}

// Try has a trial happen, and brings the fleet back to where it was.
func (f *Fleet) Try(ctx context.Context, t *Trial) (Loss, error) {
	loss, err := f.stream.watch(func() error { return t.do(ctx) })
	if err == nil && t.back != nil {
		if err = t.back(); err == nil {
			err = f.Whole(ctx)
		}
	}
	return loss, err
}
