package control

// XDP is tier 0, the program in the kernel, and the limits, which the shards apply where it cannot.
type XDP struct {
	Mode       string         `json:"mode"`       // xdp.mode of the configuration
	Interfaces []XDPInterface `json:"interfaces"` // that the program is attached to; none: it does not run
	Answered   uint64         `json:"answered"`   // packets that were answered in the kernel
	Dropped    uint64         `json:"dropped"`
	Passed     uint64         `json:"passed"`          // packets that went on to the kernel's stack, and so to the shards
	Exits      []XDPExit      `json:"exits,omitempty"` // packets by what became of them and why, in the program's order
	Answers    int            `json:"answers"`         // hot answers in the table, expired ones included
	AnswersMax int            `json:"answers_max"`     // xdp.answer_entries; 0: hot answers are off
	TableBytes uint64         `json:"table_bytes"`     // kernel memory of the table itself, in bytes
	Clients    XDPClients     `json:"clients"`
	Limit      Limit          `json:"limit"`
}

// XDPClients is the kernel's table of clients: who is denied, exempt from the limit, and may have cached answers.
type XDPClients struct {
	Prefixes int    `json:"prefixes"` // without those that say what others around them say
	Failures uint64 `json:"failures"` // changes of the configuration that it did not take
	Withheld bool   `json:"withheld"` // hot answers are, since it lacks a change that takes them from somebody
}

// XDPInterface is where the program is attached.
type XDPInterface struct {
	Name     string `json:"name"`
	Mode     string `json:"mode"`               // native or generic
	Detached bool   `json:"detached,omitempty"` // others have taken it off
}

// XDPExit counts the packets that left through one exit since the program was loaded.
type XDPExit struct {
	Name    string `json:"name"` // begins with pass_, drop_ or send_
	Packets uint64 `json:"packets"`
}

// Limit is the rate that is in force for each client.
type Limit struct {
	QueriesPerSecond int  `json:"queries_per_second"` // 0: no limit
	Burst            int  `json:"burst"`
	Slip             int  `json:"slip"`
	IPv4Prefix       int  `json:"ipv4_prefix"` // bits that make a client
	IPv6Prefix       int  `json:"ipv6_prefix"`
	Exempt           int  `json:"exempt"` // prefixes that are not limited
	Deny             int  `json:"deny"`   // prefixes whose queries are dropped
	InKernel         bool `json:"in_kernel"`
}
