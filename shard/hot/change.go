package hot

import (
	"errors"
	"fmt"

	"heimdall/ebpf"
)

// Change is other Rules on their way into force. Either Apply or Discard is called, once. A nil Change is that of a Tier
// without a program, and does nothing.
type Change struct {
	tier    *Tier
	rules   Rules
	clients *ebpf.ClientChange
}

// Prepare makes what the kernel may refuse of new rules. On an error nothing has changed.
func (t *Tier) Prepare(r Rules) (c *Change, err error) {
	err = t.use(func(p *ebpf.Program) error {
		clients, err := p.PrepareClients(r.Clients)
		if err == nil {
			c = &Change{t, r, clients}
		}
		return err
	})
	return c, err
}

// Apply puts the rules into force. The shards must have done so before: answers that the kernel learns from then on follow
// the new rules. The program stays attached, and no longer gives the answers published before. Apply writes only to memory
// that the kernel has already; it can fail only when the daemon ends.
func (c *Change) Apply() error {
	if c == nil {
		return nil
	}
	t := c.tier
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.program == nil {
		c.clients.Discard()
		return nil
	}
	t.rules.Store(&c.rules)
	err := errors.Join(c.clients.Apply(), t.program.SetPayload(c.rules.Payload), t.program.SetLimits(c.rules.Limits), t.program.Flush())
	if err != nil {
		t.o.Log.Error("the XDP program did not take the new configuration", "error", err)
		return fmt.Errorf("the XDP program did not take the new configuration: %w", err)
	}
	return nil
}

// Discard gives up what Prepare has made.
func (c *Change) Discard() {
	if c != nil {
		c.clients.Discard()
	}
}
