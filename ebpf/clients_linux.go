package ebpf

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/gaissmai/bart"
)

// clientBatch is how many prefixes go into a table in one system call.
const clientBatch = 1 << 14

// Bits of the variable that says which table of clients counts, as in c/state.h.
const (
	clientsWhich = 16
	clientsUsed  = 1 << 17
)

// ClientChange is a table of clients that has been filled and does not count yet.
type ClientChange struct {
	program *Program
	clients Clients
	list    clientList
	table   *ebpf.Map // nil: no prefixes
	same    bool      // as what counts already
	retries *Clients  // nil: a new change; else it is void once that does not wait any more
}

// PrepareClients makes another table of clients: all that takes memory, which the kernel may refuse. Nothing has changed
// until Apply or Discard, one of which is called before the next change is prepared.
func (p *Program) PrepareClients(c Clients) (*ClientChange, error) {
	change := &ClientChange{program: p, clients: c}
	p.changing.Lock()
	change.same = p.isInForce(c)
	p.changing.Unlock()
	if change.same {
		return change, nil
	}
	change.list = compile(c)
	if len(change.list.keys) == 0 {
		return change, nil
	}
	var err error
	if change.table, err = change.list.table(p.inner); err != nil {
		p.mu.Lock()
		p.clients.Failures++
		p.mu.Unlock()
		return nil, fmt.Errorf("make a table of clients: %w; the old one stays", err)
	}
	return change, nil
}

// Discard gives a table up that was not applied.
func (c *ClientChange) Discard() {
	if c.table != nil {
		c.table.Close()
	}
}

// Apply has the new table count. Each query is judged by the old one or by the new one. All that is left to do are writes to
// memory that the kernel has. Should it refuse them none the less, all goes on by the old table; where that permits what the
// new one does not, hot answers are withheld until a later change, or RetryClients, succeeds.
func (c *ClientChange) Apply() error {
	if c.same {
		return nil
	}
	p := c.program
	p.changing.Lock()
	defer p.changing.Unlock()
	if c.retries != nil && c.retries != p.pending {
		c.Discard()
		return nil
	}
	err := p.switchClients(c.list, c.table)
	withheld := err != nil && withdraws(p.inForce, c.clients)
	p.mu.Lock()
	if err != nil {
		p.clients.Failures++
	} else {
		p.clients.Prefixes = len(c.list.keys)
	}
	p.mu.Unlock()
	if err == nil {
		p.inForce, p.pending = c.clients, nil
		return p.withhold(false)
	}
	p.pending = &c.clients
	err = errors.Join(err, p.withhold(withheld))
	if withheld {
		return fmt.Errorf("change the table of clients: %w; hot answers are withheld, for the old table permits what the new one does not", err)
	}
	return fmt.Errorf("change the table of clients: %w; the old one stays", err)
}

// isInForce tells whether a change to c has nothing to do. p.changing is held.
func (p *Program) isInForce(c Clients) bool {
	return p.pending == nil && slices.Equal(c.Deny, p.inForce.Deny) && slices.Equal(c.Exempt, p.inForce.Exempt) && slices.Equal(c.Ask, p.inForce.Ask)
}

// SetClients replaces the table of clients.
func (p *Program) SetClients(c Clients) error {
	change, err := p.PrepareClients(c)
	if err != nil {
		return err
	}
	return change.Apply()
}

// RetryClients does what Apply has failed to do, unless a newer change is applied meanwhile.
func (p *Program) RetryClients() error {
	change, err := p.prepareRetry()
	if change == nil || err != nil {
		return err
	}
	return change.Apply()
}

// prepareRetry prepares anew what Apply has failed to do. nil: there is no such thing.
func (p *Program) prepareRetry() (*ClientChange, error) {
	p.changing.Lock()
	pending := p.pending
	p.changing.Unlock()
	if pending == nil {
		return nil, nil
	}
	change, err := p.PrepareClients(*pending)
	if err != nil {
		return nil, err
	}
	change.retries = pending
	return change, nil
}

// ClientTable tells how the table of clients stands.
func (p *Program) ClientTable() ClientTable {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.clients
}

// switchClients has a table of the list, nil if that has no prefixes, count with a single write.
func (p *Program) switchClients(list clientList, next *ebpf.Map) (err error) {
	now := list.others[0] | list.others[1]<<8
	old, spare := p.which, 1-p.which
	if next != nil {
		now |= clientsUsed | spare<<clientsWhich
		if err = p.objs.Clients.Put(spare, next); err == nil {
			err = p.objs.ClientsNow.Set(now)
		}
		if err != nil {
			next.Close()
			return err
		}
	} else if err = p.objs.ClientsNow.Set(now); err != nil {
		return err
	}
	if p.inUse != nil {
		// What runs now may have read the old word. Not every kernel waits for it before it frees the old table's memory.
		Settle()
		p.objs.Clients.Delete(old)
		p.inUse.Close()
	}
	p.which, p.inUse = spare, next
	return nil
}

// clientKey is struct client_key in c/layout.h.
type clientKey struct {
	Bits uint32 // of what follows
	V6   uint32
	Addr [2]uint64
}

// clientList is what the program knows of clients.
type clientList struct {
	keys   []clientKey
	flags  []uint32  // of each: enum client
	others [2]uint32 // of addresses that no key holds: IPv4, IPv6
}

// compile makes the list. Of several prefixes that hold an address the kernel finds the longest, so that it has to have
// the flags of all. One that has none of its own is left out.
func compile(c Clients) (list clientList) {
	type entry struct {
		netip.Prefix
		flags uint32
	}
	all := make([]entry, 0, len(c.Deny)+len(c.Exempt)+len(c.Ask))
	for _, from := range []struct {
		prefixes []netip.Prefix
		flag     xdpClient
	}{{c.Deny, xdpClientCLIENT_DENY}, {c.Exempt, xdpClientCLIENT_EXEMPT}, {c.Ask, xdpClientCLIENT_ASK}} {
		for _, p := range from.prefixes {
			all = append(all, entry{unmap(p), uint32(from.flag)})
		}
	}
	slices.SortFunc(all, func(a, b entry) int { return a.Compare(b.Prefix) })
	var around []entry // the prefixes that hold the present one, the shortest first
	for i := 0; i < len(all); {
		e, above := all[i], uint32(0)
		for ; i < len(all) && all[i].Prefix == e.Prefix; i++ {
			e.flags |= all[i].flags
		}
		for len(around) > 0 && !around[len(around)-1].Contains(e.Addr()) {
			around = around[:len(around)-1]
		}
		if len(around) > 0 {
			above = around[len(around)-1].flags
		}
		if e.flags |= above; e.flags == above {
			continue
		}
		around = append(around, e)
		v6 := uint32(e.Addr().BitLen() / 128)
		if e.Bits() == 0 {
			list.others[v6] = e.flags
			continue
		}
		list.keys = append(list.keys, clientKey{32 + uint32(e.Bits()), v6, words(e.Addr())})
		list.flags = append(list.flags, e.flags)
	}
	return list
}

// unmap makes an IPv4 prefix of one of mapped addresses, and clears the bits beyond its length.
func unmap(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked()
}

// table makes a map of the list.
func (l *clientList) table(spec *ebpf.MapSpec) (*ebpf.Map, error) {
	spec = spec.Copy()
	spec.MaxEntries = uint32(len(l.keys))
	m, err := ebpf.NewMap(spec)
	if err != nil {
		return nil, err
	}
	for at := 0; at < len(l.keys); at += clientBatch {
		end := min(at+clientBatch, len(l.keys))
		if err := putClients(m, l.keys[at:end], l.flags[at:end]); err != nil {
			m.Close()
			return nil, fmt.Errorf("%w, with %d of %d prefixes in the new one", err, at, len(l.keys))
		}
	}
	return m, nil
}

func putClients(m *ebpf.Map, keys []clientKey, flags []uint32) error {
	_, err := m.BatchUpdate(keys, flags, nil)
	if !errors.Is(err, ErrNotSupported) {
		return err
	}
	for i := range keys {
		if err := m.Put(&keys[i], flags[i]); err != nil {
			return err
		}
	}
	return nil
}

// withdraws tells whether one may not have answers who may by old. It may be true too often: where several prefixes
// together hold what one did.
func withdraws(old, next Clients) bool {
	return !covers(next.Ask, old.Ask) || !covers(old.Deny, next.Deny)
}

// covers tells whether each of list lies in one of prefixes.
func covers(prefixes, list []netip.Prefix) bool {
	var table bart.Lite
	for _, p := range prefixes {
		table.Insert(unmap(p))
	}
	return !slices.ContainsFunc(list, func(p netip.Prefix) bool { return !table.LookupPrefix(unmap(p)) })
}
