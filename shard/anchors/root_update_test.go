package anchors

import (
	"context"
	"crypto"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/dnssec"
)

// rootZone plays the root zone, its keys and the clock.
type rootZone struct {
	t    *testing.T
	now  int64
	keys map[string]*rootKey
	show []string // the keys in the RRset; all sign it
	err  error
}

type rootKey struct {
	*dns.DNSKEY
	private crypto.Signer
}

func newRootZone(t *testing.T, names ...string) *rootZone {
	z := &rootZone{t: t, now: 1_800_000_000, keys: map[string]*rootKey{}, show: names[:1]}
	for _, name := range names {
		k := &dns.DNSKEY{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 86400}, Flags: 257, Protocol: 3, Algorithm: dns.ED25519}
		private, err := k.Generate(256)
		if err != nil {
			t.Fatal(err)
		}
		z.keys[name] = &rootKey{k, private.(crypto.Signer)}
	}
	return z
}

// ask is what the update asks with: the response of the zone, through its wire form. "-one" is key one revoked.
func (z *rootZone) ask(context.Context) ([]byte, error) {
	if z.err != nil {
		return nil, z.err
	}
	m := new(dns.Msg).SetQuestion(".", dns.TypeDNSKEY)
	var set []dns.RR
	for _, name := range z.show {
		k := *z.keys[strings.TrimPrefix(name, "-")].DNSKEY
		if name[0] == '-' {
			k.Flags |= dns.REVOKE
		}
		set = append(set, &k)
	}
	m.Answer = append(m.Answer, set...)
	for i, name := range z.show {
		sig := &dns.RRSIG{
			Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeRRSIG, Class: dns.ClassINET, Ttl: 86400}, Algorithm: dns.ED25519, SignerName: ".",
			KeyTag: set[i].(*dns.DNSKEY).KeyTag(), Inception: uint32(z.now - 86400), Expiration: uint32(z.now + 20*86400),
		}
		if err := sig.Sign(z.keys[strings.TrimPrefix(name, "-")].private, set); err != nil {
			z.t.Fatal(err)
		}
		m.Answer = append(m.Answer, sig)
	}
	return m.Pack()
}

func (z *rootZone) seed(name string) []dnssec.DS {
	d := z.keys[name].ToDS(dns.SHA256)
	anchors, err := dnssec.ParseAnchors("seed", d.String())
	if err != nil {
		z.t.Fatal(err)
	}
	return anchors[0].DS
}

// configured are anchors in force that a configuration gives.
func configured(list ...dnssec.Anchor) *inForce {
	t := new(inForce)
	t.configure(Given{Anchors: list}, true)
	return t
}

// updater starts the update as the daemon does, with what is in the file.
func (z *rootZone) updater(file string) (u *rootUpdate, trust *inForce) {
	seed := z.seed("one")
	trust = configured(dnssec.Anchor{Zone: dname.Root(), DS: seed})
	u = &rootUpdate{
		file: file, ask: z.ask, wall: func() int64 { return z.now }, log: slog.New(slog.DiscardHandler),
		apply: func(_ context.Context, a dnssec.Anchor) error { trust.setRoot(a); return nil },
	}
	trust.setRoot(u.load(seed))
	return u, trust
}

// want compares the keys that are in force.
func (z *rootZone) want(trust *inForce, names ...string) {
	z.t.Helper()
	var got, want []uint16
	for _, k := range trust.describe()[0].Keys {
		got = append(got, k.Tag)
	}
	for _, name := range names {
		want = append(want, z.keys[name].KeyTag())
	}
	if len(got) != len(want) {
		z.t.Fatalf("keys %v are trusted, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			z.t.Fatalf("keys %v are trusted, want %v", got, want)
		}
	}
}

// A rollover takes its 30 days, survives the daemon's restarts, and ends with the old key revoked.
func TestRootUpdateRollover(t *testing.T) {
	z := newRootZone(t, "one", "two")
	file := filepath.Join(t.TempDir(), "root.keys")
	u, trust := z.updater(file)
	if d := u.wait(); d != 0 {
		t.Errorf("the first query waits for %v", d)
	}
	u.step(t.Context())
	z.want(trust, "one")
	if d := u.wait(); d < time.Hour || d > 15*24*time.Hour {
		t.Errorf("the second query waits for %v, want an hour to 15 days", d)
	}
	z.show = []string{"one", "two"}
	for day := range 35 {
		z.now += 86400
		u, trust = z.updater(file) // each day a restart
		u.step(t.Context())
		switch day {
		case 29:
			z.want(trust, "one")
		case 31:
			z.want(trust, "one", "two")
		}
	}
	z.show = []string{"-one", "two"}
	z.now += 86400
	u.step(t.Context())
	z.want(trust, "two")
	u, trust = z.updater(file)
	z.want(trust, "two") // though the operator's file still has key one
	if d := u.describe(); d.Failures != 0 || d.Unstored != 0 || len(d.Keys) != 2 || d.Keys[0].State != "revoked" {
		t.Errorf("after the rollover: %+v", d)
	}
	if trust.set().Closest(dname.Root()) == nil {
		t.Error("the root has no anchor")
	}
}

// When all keys are revoked, the zone is as good as unsigned (RFC 5011, section 5).
func TestRootUpdateAllRevoked(t *testing.T) {
	z := newRootZone(t, "one")
	u, trust := z.updater(filepath.Join(t.TempDir(), "root.keys"))
	u.step(t.Context())
	z.show = []string{"-one"}
	z.now += 86400
	u.step(t.Context())
	if a := trust.set().Closest(dname.Root()); a != nil {
		t.Errorf("the anchor is %+v", a)
	}
}

// Strangers' keys, failures and a disk that cannot be written to are counted, and change no trust.
func TestRootUpdateFailures(t *testing.T) {
	z := newRootZone(t, "one", "other")
	dir := t.TempDir()
	u, trust := z.updater(filepath.Join(dir, "missing", "root.keys"))
	z.show = []string{"other"}
	u.step(t.Context())
	z.want(trust, "one")
	if d := u.describe(); d.Failures != 1 || d.Unstored != 0 || u.wait() < time.Hour {
		t.Errorf("after a stranger's key: %+v, next in %v", d, u.wait())
	}
	z.err = errors.New("no network")
	u.step(t.Context())
	if d := u.describe(); d.Failures != 2 || d.Queries != 2 || !strings.Contains(d.LastFail, "no network") || u.wait() < time.Hour {
		t.Errorf("after no response: %+v", d)
	}
	z.err, z.show = nil, []string{"one"}
	u.step(t.Context())
	if d := u.describe(); d.Failures != 2 || d.Unstored != 1 || len(d.Keys) != 1 || !strings.Contains(d.LastFail, "store") {
		t.Errorf("without a folder: %+v", d)
	}
	z.want(trust, "one")
	// When the folder is there again, the state gets into it, even if nothing has changed.
	if err := os.Mkdir(filepath.Join(dir, "missing"), 0o755); err != nil {
		t.Fatal(err)
	}
	z.now += 86400
	u.step(t.Context())
	text, err := os.ReadFile(u.file)
	if err != nil || !strings.Contains(string(text), "state=valid") || u.describe().Unstored != 1 {
		t.Errorf("the state is %q, %v", text, err)
	}
	if names, _ := os.ReadDir(filepath.Dir(u.file)); len(names) != 1 {
		t.Errorf("the folder has %v", names)
	}
}

// A state file that makes no sense is counted, and the operator's anchors hold.
func TestRootUpdateBadState(t *testing.T) {
	for _, text := range []string{"", "nonsense", ";; zone=example. next=1 retry=1\n", strings.Repeat(";\n", maxFile)} {
		z := newRootZone(t, "one")
		path := filepath.Join(t.TempDir(), "root.keys")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		u, trust := z.updater(path)
		if d := u.describe(); d.Failures != 1 || d.LastFail == "" {
			t.Errorf("%.40q: %+v", text, d)
		}
		z.want(trust, "one")
		u.step(t.Context())
		if p, err := readState(path); err != nil || len(p.Keys) != 1 {
			t.Errorf("%.40q: the state is %v, %v afterwards", text, p, err)
		}
	}
}

// run sleeps as long as the trust point says, comes back soon when there was no room, and ends with its context.
func TestRootUpdateRun(t *testing.T) {
	z := newRootZone(t, "one")
	u, _ := z.updater(filepath.Join(t.TempDir(), "root.keys"))
	ctx, cancel := context.WithCancel(t.Context())
	var waits []time.Duration
	u.after = func(d time.Duration) <-chan time.Time {
		waits = append(waits, d)
		c := make(chan time.Time, 1)
		c <- time.Time{}
		z.now += int64(d / time.Second)
		z.err = nil
		switch len(waits) {
		case 1:
			z.err = ErrBusy
		case 4:
			cancel()
			return nil
		}
		return c
	}
	u.run(ctx)
	if len(waits) != 4 || waits[0] != 0 || waits[1] != busyPause || waits[2] < time.Hour || waits[3] < time.Hour || u.describe().Queries != 2 {
		t.Errorf("the waits are %v, %d queries", waits, u.describe().Queries)
	}
}
