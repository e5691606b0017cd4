package anycast

import (
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"heimdall/core/control"
)

// host is a kernel without one: interfaces 1 and 2 are named after their numbers.
type host struct {
	list    []address
	missing string         // an interface that is not found
	refuses int            // an interface that takes no address
	fails   map[string]int // how often an operation is still to fail
	lingers map[netip.Addr]bool
}

var errKernel = errors.New("not now")

func (h *host) fail(what string) error {
	if h.fails[what] > 0 {
		h.fails[what]--
		return errKernel
	}
	return nil
}

func (h *host) index(name string) (int, error) {
	if name == h.missing {
		return 0, errKernel
	}
	return int(name[0] - '0'), nil
}

func (h *host) addresses() ([]address, error) { return slices.Clone(h.list), h.fail("addresses") }

func (h *host) put(link int, a netip.Addr, lease time.Duration) error {
	if link == h.refuses {
		return errKernel
	}
	h.take(link, a)
	h.list = append(h.list, address{link: link, addr: a, proto: proto, valid: lease})
	return nil
}

func (h *host) take(link int, a netip.Addr) {
	h.list = slices.DeleteFunc(h.list, func(e address) bool { return e.link == link && e.addr == a })
}

func (h *host) remove(link int, a netip.Addr) error {
	if err := h.fail("remove"); err != nil {
		return err
	}
	h.take(link, a)
	return nil
}

func (h *host) linger(a netip.Addr) error {
	if err := h.fail("linger"); err != nil {
		return err
	}
	h.lingers[a] = true
	return nil
}

func (h *host) settle(a netip.Addr) error {
	delete(h.lingers, a)
	return nil
}

// on lists the interfaces that have the address.
func (h *host) on(a netip.Addr) (links []int) {
	for _, e := range h.list {
		if e.addr == a {
			links = append(links, e.link)
		}
	}
	slices.Sort(links)
	return links
}

var service = netip.MustParseAddr("192.0.2.53")

// newHost returns one whose interface 1 has the service address, a keeper that has put it there, and its settings.
func newHost(t *testing.T) (*host, *Keeper, *Settings) {
	h := &host{fails: map[string]int{}, lingers: map[netip.Addr]bool{}}
	s := &Settings{Addresses: []netip.Addr{service}, Interface: "1", Lease: time.Minute, DrainWait: time.Second}
	k := &Keeper{
		o:      Options{Log: slog.New(slog.DiscardHandler), Settings: func() Settings { return *s }},
		kernel: h, places: map[netip.Addr]*place{}, health: &control.Health{Healthy: true},
	}
	k.swings.up = true
	k.settle(s, time.Now())
	if got := h.on(service); !slices.Equal(got, []int{1}) {
		t.Fatalf("the address is on %v", got)
	}
	return h, k, s
}

// An address leaves its interface only when the next one has it: a healthy server is always reached.
func TestAddressStaysUntilItHasMoved(t *testing.T) {
	for name, c := range map[string]struct{ hinder, mend func(*host) }{
		"no interface": {func(h *host) { h.missing = "2" }, func(h *host) { h.missing = "" }},
		"no room":      {func(h *host) { h.refuses = 2 }, func(h *host) { h.refuses = 0 }},
	} {
		for _, inherited := range []bool{false, true} {
			h, k, s := newHost(t)
			if inherited {
				k.places = map[netip.Addr]*place{}
			}
			c.hinder(h)
			s.Interface = "2"
			for range 2 {
				h.list[0].valid = time.Second
				k.settle(s, time.Now())
				if got := h.on(service); !slices.Equal(got, []int{1}) || h.list[0].valid != s.Lease || k.Report().Addresses[0].State != control.AnycastFailed {
					t.Errorf("%s, inherited %v: on %v, %+v, %+v", name, inherited, got, h.list, k.Report())
				}
			}
			c.mend(h)
			k.settle(s, time.Now())
			if got := h.on(service); !slices.Equal(got, []int{2}) || k.Report().Addresses[0].State != control.AnycastUp {
				t.Errorf("%s, inherited %v: then on %v, %+v", name, inherited, got, k.Report())
			}
		}
	}
}

// An address that an operator has on the other interface is where it should be: ours goes.
func TestAddressMovesToAnOperators(t *testing.T) {
	h, k, s := newHost(t)
	h.list = append(h.list, address{link: 2, addr: service, valid: forever})
	s.Interface = "2"
	k.settle(s, time.Now())
	if got := h.on(service); !slices.Equal(got, []int{2}) || h.list[0].valid != forever {
		t.Errorf("%+v", h.list)
	}
}

// The daemon does not end with an address that a transient error has kept on its interface, nor before packets to it are
// taken without it, if that can be had.
func TestEndTriesAgain(t *testing.T) {
	for _, what := range []string{"addresses", "remove", "linger"} {
		synctest.Test(t, func(t *testing.T) {
			h, k, _ := newHost(t)
			h.fails[what] = 1
			k.end()
			if got := h.on(service); got != nil || !h.lingers[service] {
				t.Errorf("%s: on %v, lingers %v", what, got, h.lingers)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		h, k, _ := newHost(t)
		h.fails["linger"] = 1000
		if k.end(); h.on(service) != nil {
			t.Errorf("on %v", h.on(service))
		}
		h, k, _ = newHost(t)
		h.fails["remove"] = 1000
		k.end() // and returns
	})
}

// An address whose interface is gone is forgotten with the configuration that names it.
func TestAddressOfNoInterface(t *testing.T) {
	h, k, s := newHost(t)
	h.list = nil
	s.Addresses = nil
	k.settle(s, time.Now())
	if len(k.places) != 0 || k.holds(true) {
		t.Errorf("%+v", k.places[service])
	}
}
