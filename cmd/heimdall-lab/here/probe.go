package here

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"heimdall/core/config"
	"heimdall/core/dname"
)

// probe asks the daemon.
type probe struct {
	config *config.Config
	server string
	worked []question // those that have got an answer, in order
}

// question is one that may be printed once it has worked.
type question struct {
	name string
	typ  uint16
	got  string // what came
}

// ask returns the response to a question with EDNS.
func (p *probe) ask(name string, typ uint16) (*dns.Msg, error) {
	q := new(dns.Msg).SetQuestion(name, typ)
	q.SetEdns0(1232, false)
	q.AuthenticatedData = true
	client := dns.Client{Timeout: answerTime}
	r, _, err := client.Exchange(q, p.server)
	return r, err
}

// try asks, and keeps the question if there is an answer to show.
func (p *probe) try(name string, typ uint16) (r *dns.Msg, err error) {
	if r, err = p.ask(name, typ); err == nil && r.Rcode == dns.RcodeSuccess && len(r.Answer) > 0 {
		last := r.Answer[len(r.Answer)-1]
		got := strings.TrimPrefix(last.String(), last.Header().String())
		if r.AuthenticatedData {
			got += ", validated"
		}
		p.worked = append(p.worked, question{name, typ, got})
		return r, nil
	}
	return r, err
}

// zone tells whether a zone is served, and what is missing.
func (p *probe) zone() (works bool, text string) {
	if len(p.config.Zone) == 0 {
		return false, "the configuration has none: add [[zone]] with name and file"
	}
	name := p.config.Zone[0].Name.String()
	r, err := p.ask(name, dns.TypeSOA)
	if err != nil {
		return false, err.Error()
	}
	if r.Rcode != dns.RcodeSuccess || !r.Authoritative {
		return false, fmt.Sprintf("%s gets %s: the log above and `heimdallctl zones` say why", name, outcome(r))
	}
	for _, label := range []string{"www.", "shop.", "anything.dev."} {
		p.try(label+name, dns.TypeA)
	}
	p.try(name, dns.TypeMX)
	return true, name + ", served from a file"
}

// local tells whether names are answered that never leave this machine.
func (p *probe) local() (works bool, text string) {
	r, err := p.try("localhost.", dns.TypeA)
	switch {
	case err != nil:
		return false, err.Error()
	case r.Rcode != dns.RcodeSuccess || len(r.Answer) == 0:
		return false, fmt.Sprintf("localhost gets %s: local.special_names may be off", outcome(r))
	}
	p.try("1.0.0.127.in-addr.arpa.", dns.TypePTR)
	return true, "localhost, private addresses and their like (RFC 6761, RFC 6303)"
}

// internet tells whether names of the internet are resolved, and what to do if not.
func (p *probe) internet() (works bool, text string) {
	r, err := p.try("www.example.com.", dns.TypeA)
	if err == nil && r.Rcode == dns.RcodeSuccess && len(r.Answer) > 0 {
		if r.AuthenticatedData {
			return true, "names are resolved and validated"
		}
		return true, "names are resolved, but not validated"
	}
	if forward := p.forwarders(); len(forward) > 0 {
		return false, fmt.Sprintf("%s asks %s, and gets %s: correct [[forward]], then `heimdallctl reload`", p.config.Forward[0].Zone, strings.Join(forward, ", "), told(r, err))
	}
	if !routed() {
		return false, "no route leads there: connect this machine; Heimdall then begins by itself"
	}
	if r != nil && slices.ContainsFunc(extendedErrors(r), func(e *dns.EDNS0_EDE) bool {
		return e.InfoCode == dns.ExtendedErrorCodeSignatureExpired || e.InfoCode == dns.ExtendedErrorCodeSignatureNotYetValid
	}) {
		return false, fmt.Sprintf("%s: set the clock of this machine", told(r, err))
	}
	return false, fmt.Sprintf("%s: let queries to port 53 out, or name a resolver that answers%s as [[forward]], then `heimdallctl reload`", told(r, err), nameservers())
}

// forwarders returns who is asked for all names, if somebody is.
func (p *probe) forwarders() (list []string) {
	for _, f := range p.config.Forward {
		if dname.Equal(f.Zone, dname.Root()) {
			for _, s := range f.Servers {
				list = append(list, s.String())
			}
		}
	}
	return list
}

// routed tells whether the kernel knows a way to a root server. Nothing is sent.
func routed() bool {
	return slices.ContainsFunc([]string{"198.41.0.4:53", "[2001:503:ba3e::2:30]:53"}, func(addr string) bool {
		conn, err := net.Dial("udp", addr)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

// nameservers names those that this machine uses by itself.
func nameservers() string {
	c, err := dns.ClientConfigFromFile("/etc/resolv.conf")
	if err != nil || len(c.Servers) == 0 {
		return ""
	}
	return " (this machine uses " + strings.Join(c.Servers, ", ") + ")"
}

// told is what a response, or its lack, says of the cause.
func told(r *dns.Msg, err error) string {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer"
	case err != nil:
		return err.Error()
	}
	return outcome(r)
}

func outcome(r *dns.Msg) string {
	text := dns.RcodeToString[r.Rcode]
	for _, e := range extendedErrors(r) {
		text += " (" + strings.TrimSpace(dns.ExtendedErrorCodeToString[e.InfoCode]+": "+e.ExtraText) + ")"
	}
	return text
}

func extendedErrors(r *dns.Msg) (list []*dns.EDNS0_EDE) {
	if opt := r.IsEdns0(); opt != nil {
		for _, o := range opt.Option {
			if e, ok := o.(*dns.EDNS0_EDE); ok {
				list = append(list, e)
			}
		}
	}
	return list
}

// report asks for everything, and returns what to tell.
func (p *probe) report(o Options) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nHeimdall answers at %s. What it can do on this machine:\n\n", p.server)
	for _, a := range []struct {
		what string
		f    func() (bool, string)
	}{{"zone", p.zone}, {"local names", p.local}, {"internet", p.internet}} {
		works, text := a.f()
		mark := "no: "
		if works {
			mark = "yes:"
		}
		fmt.Fprintf(&b, "    %-12s %s %s\n", a.what, mark, text)
	}
	fmt.Fprint(&b, "\nWhat works, to be typed in another terminal:\n\n")
	host, port, _ := net.SplitHostPort(p.server)
	line := func(command, what string) { fmt.Fprintf(&b, "    %-54s # %s\n", command, what) }
	_, err := exec.LookPath("dig")
	for _, q := range p.worked {
		name, typ := strings.TrimSuffix(q.name, "."), dns.TypeToString[q.typ]
		if err != nil {
			line(o.Heimdallctl+" trace "+name+" "+typ, q.got)
		} else {
			line("dig @"+host+" -p "+port+" "+name+" "+typ, q.got)
		}
	}
	line(o.Heimdallctl+" status", "how it is doing")
	line(o.Heimdallctl+" top", "live; q ends it")
	if os.Getenv("MAKELEVEL") != "" {
		line("make load", "replies a second, and how long they take")
	}
	if err != nil {
		fmt.Fprint(&b, "\nThere is no dig here: `apt install bind9-dnsutils` brings it.\n")
	}
	fmt.Fprintf(&b, "\nIt is configured by %s. Ctrl-C ends it.\n", o.Config)
	return b.String()
}
