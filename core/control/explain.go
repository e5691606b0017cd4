package control

import "net/netip"

// ExplainArgs are the arguments of the command explain: a query that nobody sends.
type ExplainArgs struct {
	Name   string `json:"name"` // presentation form
	Type   string `json:"type"` // mnemonic or TYPEnnn
	Client string `json:"client,omitempty"`
	DO     bool   `json:"do,omitempty"`
	CD     bool   `json:"cd,omitempty"`
	TCP    bool   `json:"tcp,omitempty"`
}

func (a *ExplainArgs) check() error {
	if err := checkQuestion(a.Name, a.Type); err != nil {
		return err
	}
	if a.Client == "" {
		return nil
	}
	if _, err := netip.ParseAddr(a.Client); err != nil {
		return Errorf(CodeBadRequest, "client %s: want an address such as 192.0.2.53 or 2001:db8::53", quote(a.Client))
	}
	return nil
}

// Outcome says what becomes of a query.
type Outcome string

// What becomes of queries.
const (
	OutcomeDropped   Outcome = "dropped"
	OutcomeTruncated Outcome = "truncated" // TC, so that the client comes back over TCP
	OutcomeKernel    Outcome = "kernel"    // answered in tier 0
	OutcomeZone      Outcome = "zone"
	OutcomeLocal     Outcome = "local"
	OutcomeCache     Outcome = "cache"
	OutcomeStale     Outcome = "stale"    // answered from an expired entry (RFC 8767)
	OutcomeKnown     Outcome = "known"    // answered from what was learned for other queries
	OutcomeUpstream  Outcome = "upstream" // others are asked
	OutcomeError     Outcome = "error"    // REFUSED and the like
)

// Explanation is the reply to the command explain: what the daemon would do with the query now, and why. Nothing was asked
// or changed.
type Explanation struct {
	Name       string             `json:"name"` // as understood: absolute, lower case
	Type       string             `json:"type"`
	Client     string             `json:"client"`
	Transport  string             `json:"transport"` // UDP or TCP
	Shard      int                `json:"shard"`     // that was asked
	Outcome    Outcome            `json:"outcome"`
	Rcode      string             `json:"rcode,omitempty"` // empty: it is not known before others are asked, or there is no response
	Steps      []ExplainStep      `json:"steps"`           // in the order in which the daemon decides
	Answer     []string           `json:"answer"`          // records, with their section before them
	Zone       *ExplainZone       `json:"zone,omitempty"`
	Cache      *ExplainCache      `json:"cache,omitempty"`
	Upstream   *ExplainUpstream   `json:"upstream,omitempty"`
	Validation *ExplainValidation `json:"validation,omitempty"`
	Todo       []string           `json:"todo,omitempty"` // what an operator can do about it
}

// ExplainStep is one decision.
type ExplainStep struct {
	Step    string `json:"step"`            // client, kernel, zone, recursion, local, cache, known, servers, validation
	Verdict string `json:"verdict"`         // in a few words
	Why     string `json:"why"`             // may be empty
	Place   string `json:"place,omitempty"` // of the key that decides, as "config.toml:12"
}

// ExplainZone is the zone that has the name.
type ExplainZone struct {
	Name   string `json:"name"`
	Serial uint32 `json:"serial"`
	Ready  bool   `json:"ready"` // false: no version could be loaded
	Away   bool   `json:"away"`  // an alias in it leads elsewhere
}

// ExplainCache is the entry of the answer cache.
type ExplainCache struct {
	CacheEntry
	Age    uint32 `json:"age"`              // seconds since it was stored
	Trust  string `json:"trust,omitempty"`  // where its records are from, if they are known one by one (RFC 2181, section 5.4.1)
	Status string `json:"status,omitempty"` // likewise: what validation has found
	Shards []int  `json:"shards"`           // that have a fresh entry
}

// ExplainUpstream is who is asked, or was for what is cached.
type ExplainUpstream struct {
	Kind    string          `json:"kind"` // forward, stub or iterate
	Zone    string          `json:"zone"` // of the table; when iterating, the closest one whose servers are known
	Servers []ExplainServer `json:"servers"`
}

// ExplainServer is one server of a forward or stub zone.
type ExplainServer struct {
	Address string        `json:"address"`
	State   UpstreamState `json:"state"`
}

// ExplainValidation is how an answer is, or would be, validated.
type ExplainValidation struct {
	Verdict string `json:"verdict"` // secure, insecure, bogus, indeterminate, "off", "none", or "pending": others have to be asked
	Why     string `json:"why"`
	Anchor  string `json:"anchor,omitempty"` // zone where the chain of trust begins
}
