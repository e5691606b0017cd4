package settings

import (
	"os"
	"slices"

	"heimdall/core/config"
	"heimdall/core/wire"
	"heimdall/shard/tap"
	"heimdall/shard/tap/ring"
)

// Tap is what the query log and dnstap take.
func Tap(c *config.Config) tap.Settings {
	q, d := &c.QueryLog, &c.Dnstap
	s := tap.Settings{Ring: int(c.Memory.RecordRing)}
	if q.Enabled {
		s.Lines = tap.LineSettings{
			On: true, File: q.File, JSON: q.Format == "json", Sample: q.Sample, PerSecond: q.MaxPerSecond, Rcodes: rcodes(q.Rcodes),
			Names: q.Names, Clients: q.Clients, SlowerThan: q.SlowerThan,
		}
	}
	if network, address := d.Target(); network != "" {
		s.Frames = tap.FrameSettings{
			Network: network, Address: address, Messages: messages(d.Messages), Sample: d.Sample, Identity: d.Identity, Version: c.Server.Version,
		}
		if d.Identity == "" {
			s.Frames.Identity, _ = os.Hostname() // without one, none is told
		}
	}
	return s
}

// rcodes reads mnemonics.
func rcodes(names []string) (list []wire.Rcode) {
	for r := range wire.RcodeBadVers + 1 {
		if slices.Contains(names, r.String()) {
			list = append(list, r)
		}
	}
	return list
}

// messageTypes are the values of dnstap.messages.
var messageTypes = map[string]ring.Messages{
	"auth_query": ring.AuthQuery, "auth_response": ring.AuthResponse, "resolver_query": ring.ResolverQuery, "resolver_response": ring.ResolverResponse,
	"client_query": ring.ClientQuery, "client_response": ring.ClientResponse, "forwarder_query": ring.ForwarderQuery,
	"forwarder_response": ring.ForwarderResponse,
}

func messages(names []string) (set ring.Messages) {
	for _, n := range names {
		set |= messageTypes[n]
	}
	return set
}
