package control

import (
	"context"
	"net/netip"
)

// The commands that look into resolution and validation.
const (
	CommandNTAAdd       = "nta.add"
	CommandNTARemove    = "nta.remove"
	CommandNTAList      = "nta.list"
	CommandInfra        = "infra"
	CommandDNSSECStatus = "dnssec.status"
	CommandTrace        = "trace"
)

// maxAddress bounds an address with a port and a zone, in characters.
const maxAddress = 80

// ResolverServer is the part of Server that looks into resolution and validation.
type ResolverServer interface {
	NTAAdd(context.Context, NTAArgs) (*NTAList, error)
	NTARemove(context.Context, NTAArgs) (*NTAList, error)
	NTAs(context.Context) (*NTAList, error)
	Infra(context.Context, InfraArgs) (*Infra, error)
	DNSSECStatus(context.Context) (*DNSSECStatus, error)
	Trace(context.Context, TraceArgs) (*Trace, error)
}

// NTAArgs are the arguments of the commands nta.add and nta.remove.
type NTAArgs struct {
	Name string `json:"name"` // presentation form
}

// AnchorSource says where a trust anchor comes from.
type AnchorSource string

// The sources of trust anchors.
const (
	AnchorBuiltIn AnchorSource = "built in"
	AnchorFile    AnchorSource = "file"          // recursion.trust_anchors
	AnchorUpdated AnchorSource = "RFC 5011"      // the file or what is built in, as the zone's own rollovers have changed it
	AnchorConfig  AnchorSource = "configuration" // recursion.negative_trust_anchors
	AnchorRuntime AnchorSource = "command"       // nta.add: gone with the daemon's end
)

// NTA is a negative trust anchor: nothing at or below Zone is validated (RFC 7646).
type NTA struct {
	Zone   string       `json:"zone"`
	Source AnchorSource `json:"source"`
}

// NTAList is the reply to the commands nta.add, nta.remove and nta.list: what is in force afterwards, in order
// of the names. Flushed is the number of answers that the change took out of the caches.
type NTAList struct {
	Anchors []NTA  `json:"anchors"`
	Flushed uint64 `json:"flushed"`
}

// InfraArgs are the arguments of the command infra.
type InfraArgs struct {
	Address string `json:"address,omitempty"` // with or without a port; empty: all servers
}

// Infra is the reply to the command infra. Truncated says that more servers are known.
type Infra struct {
	Servers   []InfraServer `json:"servers"`
	Truncated bool          `json:"truncated"`
}

// InfraServer is what all shards together know of one server. Its times are those of the best shard.
type InfraServer struct {
	Address   string            `json:"address"`
	State     UpstreamState     `json:"state"`
	Shards    int               `json:"shards"` // that know it
	SRTTUs    float64           `json:"srtt_us"`
	RTOUs     float64           `json:"rto_us"` // how long a response is waited for
	InFlight  int               `json:"in_flight"`
	Queries   uint64            `json:"queries"`
	Responses uint64            `json:"responses"`
	Timeouts  uint64            `json:"timeouts"`
	EDNS      string            `json:"edns"`      // "yes", "no" or "unknown"
	KeepCase  string            `json:"keep_case"` // likewise: does it keep the letter case of the question
	Failures  map[string]uint64 `json:"failures"`  // by reason
}

// DNSSECStatus is the reply to the command dnssec.status. Without Validation nothing else is set.
type DNSSECStatus struct {
	Validation  bool              `json:"validation"`
	Anchors     []TrustAnchor     `json:"anchors"`
	Negative    []NTA             `json:"negative"`
	Verdicts    map[string]uint64 `json:"verdicts"` // on answers for clients, by status
	Bogus       map[string]uint64 `json:"bogus"`    // of these the bogus ones, by reason
	Jobs        uint64            `json:"jobs"`
	JobsRefused uint64            `json:"jobs_refused"` // there was no room for them
	JobsWaiting int               `json:"jobs_waiting"`
	MemoHits    uint64            `json:"memo_hits"` // signatures that were known already
	MemoMisses  uint64            `json:"memo_misses"`
	Update      *AnchorUpdate     `json:"update,omitempty"` // RFC 5011, if it is on
}

// TrustAnchor is a zone where chains of trust begin.
type TrustAnchor struct {
	Zone   string       `json:"zone"`
	Source AnchorSource `json:"source"`
	Keys   []AnchorKey  `json:"keys"`
}

// AnchorKey is a key that is trusted.
type AnchorKey struct {
	Tag       uint16 `json:"tag"`
	Algorithm string `json:"algorithm"`
	Digest    string `json:"digest"` // its algorithm
}

// AnchorUpdate is how the automatic update of the root's trust anchor does. Times are seconds since 1970.
type AnchorUpdate struct {
	File     string       `json:"file"`
	Next     int64        `json:"next"` // query
	Queries  uint64       `json:"queries"`
	Failures uint64       `json:"failures"`  // of Queries: no response, or none that the anchor vouches for
	Unstored uint64       `json:"unstored"`  // changes that could not be written to File
	LastFail string       `json:"last_fail"` // of either kind; empty: none
	Keys     []TrackedKey `json:"keys"`
}

// TrackedKey is a key that RFC 5011 follows.
type TrackedKey struct {
	Tag   uint16 `json:"tag"`
	State string `json:"state"`
	Since int64  `json:"since"` // seconds since 1970
}

// TraceArgs are the arguments of the command trace.
type TraceArgs struct {
	Name string `json:"name"` // presentation form
	Type string `json:"type"` // mnemonic or TYPEnnn
	CD   bool   `json:"cd,omitempty"`
	// Client is the address of the client that would ask. Empty: one that may use recursion.
	Client string `json:"client,omitempty"`
}

// Trace is the reply to the command trace: the steps of one resolution, and how it ended.
type Trace struct {
	Name    string      `json:"name"` // as understood: absolute, lower case
	Type    string      `json:"type"`
	Route   string      `json:"route,omitempty"`  // who knows the name: a zone served here, a special name, other servers
	Cached  string      `json:"cached,omitempty"` // what the shard's cache has of it
	Shard   int         `json:"shard"`
	Steps   []TraceStep `json:"steps"`
	Dropped int         `json:"dropped"` // steps beyond the bound
	Queries int         `json:"queries"`
	TookUs  float64     `json:"took_us"`
	Rcode   string      `json:"rcode"`
	AD      bool        `json:"ad"`
	EDE     string      `json:"ede,omitempty"`
	Answer  []string    `json:"answer"` // records of the answer section
}

// TraceStep is one step of a resolution.
type TraceStep struct {
	AtUs    float64  `json:"at_us"` // since the start
	Depth   int      `json:"depth"` // 0: the question itself; else what was asked in order to answer it
	Kind    string   `json:"kind"`  // "query", "response", "timeout", "retry", "referral", "alias", "answer" …
	Name    string   `json:"name"`  // asked for
	Type    string   `json:"type"`
	Server  string   `json:"server,omitempty"`
	RTTUs   float64  `json:"rtt_us,omitempty"`
	Text    string   `json:"text"`
	Records []string `json:"records,omitempty"` // of a response, by section; the first ones
}

// callResolver carries out the commands of ResolverServer; known is false for others.
func callResolver(ctx context.Context, s ResolverServer, req *Request) (data any, known bool, err error) {
	switch req.Command {
	case CommandNTAAdd, CommandNTARemove:
		var args NTAArgs
		if err = decodeArgs(req, &args); err == nil {
			err = checkText("name", args.Name, maxName)
		}
		switch {
		case err != nil:
		case req.Command == CommandNTAAdd:
			data, err = s.NTAAdd(ctx, args)
		default:
			data, err = s.NTARemove(ctx, args)
		}
	case CommandInfra:
		var args InfraArgs
		if err = decodeArgs(req, &args); err == nil && args.Address != "" {
			err = checkAddress(args.Address)
		}
		if err == nil {
			data, err = s.Infra(ctx, args)
		}
	case CommandTrace:
		var args TraceArgs
		if err = decodeArgs(req, &args); err == nil {
			err = checkQuestion(args.Name, args.Type)
		}
		if err == nil && args.Client != "" {
			if _, bad := netip.ParseAddr(args.Client); bad != nil {
				err = Errorf(CodeBadRequest, "client %s: want an address such as 192.0.2.53 or 2001:db8::53", quote(args.Client))
			}
		}
		if err == nil {
			data, err = s.Trace(ctx, args)
		}
	case CommandNTAList, CommandDNSSECStatus:
		if err = decodeArgs(req, &struct{}{}); err != nil {
			break
		}
		if req.Command == CommandNTAList {
			data, err = s.NTAs(ctx)
		} else {
			data, err = s.DNSSECStatus(ctx)
		}
	default:
		return nil, false, nil
	}
	return data, true, err
}

// checkAddress refuses what is neither an address nor one with a port.
func checkAddress(text string) error {
	if err := checkText("address", text, maxAddress); err != nil {
		return err
	}
	if _, err := netip.ParseAddr(text); err == nil {
		return nil
	}
	if _, err := netip.ParseAddrPort(text); err != nil {
		return Errorf(CodeBadRequest, "address %s: want one such as 192.0.2.53, 192.0.2.53:53 or [2001:db8::53]:53", quote(text))
	}
	return nil
}
