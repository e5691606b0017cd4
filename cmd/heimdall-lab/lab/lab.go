// Package lab is a small signed internet in network namespaces: a root, two top-level domains, and below them
// zones of every kind that a resolver has to cope with, each with servers of its own; some are broken, and so are
// some of the servers. What is in it is in the tables of the files zones.go and questions.go: the first says what
// there is, the second what a resolver has to make of it.
//
// Zones and answers are always the same; keys and signatures are new for each [Lab]. Nothing leaves the namespaces.
package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/miekg/dns"
)

// Lab is a running lab: two namespaces, one with all the servers, the other for a resolver. Its methods are safe
// for concurrent use, but for Close.
type Lab struct {
	// Dir has the root hints, the trust anchor, and what a resolver that is started in the lab needs and writes.
	Dir string
	// CPUs are those of the resolvers that are started from then on. Nil: any.
	CPUs []int

	internet *Internet
	servers  namespace
	resolver namespace
	running  []*dns.Server
	daemons  []*daemon
}

// Resolver is where the resolver of a lab listens, inside its namespace. Second and Third are where others do that
// are compared with it.
const (
	Resolver = "127.0.0.1:53"
	Second   = "127.0.0.1:5302"
	Third    = "127.0.0.1:5303"
)

// ErrNotRoot is returned by Start to those who may not make network namespaces.
var ErrNotRoot = errors.New("the lab makes network namespaces, which takes root, or a user namespace")

// Start makes a lab with the given zones, which begin with those of [Zones]. Whatever it has made by then is removed
// if a step does not work or ctx ends.
func Start(ctx context.Context, specs []Spec) (l *Lab, err error) {
	if os.Geteuid() != 0 {
		return nil, ErrNotRoot
	}
	l = new(Lab)
	defer func() {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			err = errors.Join(err, l.Close())
			l = nil
		}
	}()
	if l.internet, err = Build(specs, time.Now()); err != nil {
		return l, err
	}
	if l.Dir, err = os.MkdirTemp("", "heimdall-lab-"); err != nil {
		return l, fmt.Errorf("make a folder: %w", err)
	}
	for name, text := range map[string]string{hintsFile: l.internet.RootHints(), anchorFile: l.internet.TrustAnchor()} {
		if err := os.WriteFile(l.path(name), []byte(text), 0o644); err != nil {
			return l, fmt.Errorf("write %s: %w", name, err)
		}
	}
	// One process may have several labs.
	unique := fmt.Sprintf("heimdall-lab-%d-%s", os.Getpid(), l.Dir[len(l.Dir)-4:])
	l.servers, l.resolver = namespace(unique+"-servers"), namespace(unique)
	var addrs []string
	for _, s := range l.internet.servers {
		bits := serversIPv4.Bits()
		if s.addr.Is6() {
			bits = serversIPv6.Bits()
		}
		addrs = append(addrs, fmt.Sprintf("%s/%d", s.addr, bits))
	}
	if err := connect(l.servers, l.resolver, addrs); err != nil {
		return l, err
	}
	return l, l.serve()
}

// serve starts the servers.
func (l *Lab) serve() error {
	err := l.servers.within(func() error {
		for _, s := range l.internet.servers {
			udp, tcp, err := s.listen()
			if err != nil {
				return fmt.Errorf("start server %s: %w", s.host, err)
			}
			l.running = append(l.running, udp, tcp)
		}
		return nil
	})
	for _, srv := range l.running {
		started := make(chan struct{})
		srv.NotifyStartedFunc = func() { close(started) }
		go srv.ActivateAndServe()
		<-started
	}
	return err
}

// Close ends what runs in the lab and removes what it made.
func (l *Lab) Close() error {
	var errs []error
	for _, d := range l.daemons {
		errs = append(errs, d.stop())
	}
	for _, srv := range l.running {
		// Queries in flight are of no interest: the sockets are closed, not drained.
		if srv.PacketConn != nil {
			srv.PacketConn.Close()
		} else {
			srv.Listener.Close()
		}
	}
	for _, n := range []namespace{l.resolver, l.servers} {
		if n != "" {
			errs = append(errs, n.remove())
		}
	}
	if l.Dir != "" {
		errs = append(errs, os.RemoveAll(l.Dir))
	}
	return errors.Join(errs...)
}

// Exchange sends a query to the lab's resolver over "udp" or "tcp".
func (l *Lab) Exchange(q *dns.Msg, network string) (*dns.Msg, error) {
	return l.exchange(q, network, Resolver)
}

func (l *Lab) exchange(q *dns.Msg, network, addr string) (*dns.Msg, error) {
	var conn net.Conn
	err := l.resolver.within(func() (err error) {
		conn, err = net.Dial(network, addr)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reach the resolver: %w", err)
	}
	defer conn.Close()
	c := dns.Client{Net: network, Timeout: patience}
	r, _, err := c.ExchangeWithConn(q, &dns.Conn{Conn: conn})
	if err != nil {
		return nil, fmt.Errorf("ask the resolver: %w", err)
	}
	return r, nil
}

// Queries returns how many queries the servers of a zone have got.
func (l *Lab) Queries(zone string) (n int) {
	for _, z := range l.internet.zones {
		if z.origin == zone {
			for _, s := range z.servers {
				n += int(s.queries.Load())
			}
		}
	}
	return n
}

// Command returns the words that run a program in the resolver's namespace.
func (l *Lab) Command(name string, args ...string) []string {
	return l.resolver.command(name, args...).Args
}

func (l *Lab) path(name string) string { return l.Dir + "/" + name }
