package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/control"
)

// clientsLab is a hot lab whose lists of clients change.
type clientsLab struct {
	*hotLab
	template string // of the configuration
}

const everybody = `allow = ["0.0.0.0/0", "::/0"]`

func newClientsLab(t *testing.T, mode string) *clientsLab {
	t.Helper()
	l := newHotLab(t, mode)
	text, err := os.ReadFile(l.config)
	if err != nil {
		t.Fatal(err)
	}
	return &clientsLab{l, string(text)}
}

// reload changes the lists.
func (l *clientsLab) reload(t *testing.T, allow, deny string) (out control.Reload) {
	t.Helper()
	text := strings.Replace(l.template, everybody, "allow = ["+allow+"]\n[limit]\ndeny = ["+deny+"]", 1)
	l.writeFile(t, "config.toml", text)
	l.ctlJSON(&out, "reload")
	return out
}

// once asks once for a hot name over one of the families, and returns the response; nil: there is none.
func (l *clientsLab) once(t *testing.T, family int, patience time.Duration) *dns.Msg {
	t.Helper()
	c := &dns.Conn{Conn: l.outside[family]}
	q := question("www.far.example.", dns.TypeA)
	if err := c.WriteMsg(q); err != nil {
		t.Fatal(err)
	}
	c.SetReadDeadline(time.Now().Add(patience))
	for {
		r, err := c.ReadMsg()
		if err != nil {
			return nil
		}
		if r.Id == q.Id {
			return r
		}
	}
}

// served tells, for both families, by which tier a client is answered: "kernel", "shard", "refused" or "dropped".
func (l *clientsLab) served(t *testing.T, patience time.Duration) string {
	t.Helper()
	var by [2]string
	before := l.exits()
	for family := range by {
		r := l.once(t, family, patience)
		after := l.exits()
		switch {
		case r == nil && after["drop_denied"] > before["drop_denied"]:
			by[family] = "dropped"
		case r == nil:
			by[family] = "lost"
		case after["send_answer"] > before["send_answer"]:
			by[family] = "kernel"
		case r.Rcode == dns.RcodeRefused:
			by[family] = "refused"
		default:
			by[family] = "shard"
		}
		before = after
	}
	return by[0] + " " + by[1]
}

// The kernel's table of clients follows the configuration: with more than 65,536 prefixes, with one removed, with one
// denied, over both families.
func TestRootClientsFollowTheConfiguration(t *testing.T) {
	t.Parallel()
	l := newClientsLab(t, "native")
	var many strings.Builder
	for i := range 70_000 {
		fmt.Fprintf(&many, "\"10.%d.%d.%d/32\",\n", i>>16, i>>8&255, i&255)
	}
	const four, six = `"192.0.2.2/32", `, `"2001:db8::2/128"`
	for _, c := range []struct {
		allow, deny, want string
		prefixes          int
	}{
		{`"0.0.0.0/0", "::/0"`, "", "kernel kernel", 0},
		{four + six, "", "kernel kernel", 2},
		{four, "", "kernel refused", 1},
		{many.String() + four + six, "", "kernel kernel", 70_002},
		{many.String() + six, "", "refused kernel", 70_001},
		{many.String() + four + six, four, "dropped kernel", 70_002},
		{`"0.0.0.0/0", "::/0"`, `"2001:db8::/64"`, "kernel dropped", 1},
	} {
		l.reload(t, c.allow, c.deny)
		if x := l.xdp(); x.Clients != (control.XDPClients{Prefixes: c.prefixes}) {
			t.Errorf("%+v, want %d prefixes", x.Clients, c.prefixes)
		}
		// Each reload flushes: who may have answers asks until they are hot again.
		wait := patience
		if strings.Contains(c.want, "dropped") {
			wait = time.Second
		}
		got := ""
		until(t, "clients to be served by "+c.want, func() bool {
			got = l.served(t, wait)
			for family, tier := range strings.Fields(got) {
				if tier == "kernel" && strings.Fields(c.want)[family] != tier {
					t.Fatalf("served by %s, want %s", got, c.want)
				}
			}
			return got == c.want
		})
	}
}
