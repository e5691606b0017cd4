package preflight

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Attributes of a chain of nftables (linux/netfilter/nf_tables.h).
const (
	chainTable  = 1
	chainName   = 3
	chainHook   = 4
	chainPolicy = 5
	chainUse    = 6 // how many rules it has, in a chain that is hooked somewhere
	hookNumber  = 1
)

// Verdicts of a chain's policy (linux/netfilter.h).
const (
	nfDrop   = 0
	nfAccept = 1
)

// familyNames are the address families of nftables whose chains see what comes in.
var familyNames = map[byte]string{unix.NFPROTO_INET: "inet", unix.NFPROTO_IPV4: "ip", unix.NFPROTO_IPV6: "ip6", unix.NFPROTO_NETDEV: "netdev"}

// nfHeader is struct nfgenmsg, for all families.
type nfHeader [4]byte

func (h nfHeader) Len() int          { return len(h) }
func (h nfHeader) Serialize() []byte { return h[:] }

// Filters lists the chains of nftables, which iptables makes as well, that may stop what comes in.
func (m *thisMachine) Filters() ([]string, error) {
	req := nl.NewNetlinkRequest(unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_GETCHAIN, unix.NLM_F_DUMP)
	req.AddData(nfHeader{})
	msgs, err := req.Execute(unix.NETLINK_NETFILTER, 0)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPROTONOSUPPORT) {
		return nil, nil // a kernel without nftables
	}
	if err != nil {
		return nil, fmt.Errorf("list the chains of nftables: %w", err)
	}
	var list []string
	for _, msg := range msgs {
		if text, ok := filter(msg); ok {
			list = append(list, text)
		}
	}
	return list, nil
}

// filter describes a chain that may stop what comes in.
func filter(msg []byte) (text string, ok bool) {
	if len(msg) < len(nfHeader{}) {
		return "", false
	}
	family := familyNames[msg[0]]
	attrs, err := nl.ParseRouteAttr(msg[len(nfHeader{}):])
	if err != nil || family == "" {
		return "", false
	}
	var table, name string
	hook, policy, rules := uint32(1<<31), uint32(nfAccept), uint32(0)
	for _, a := range attrs {
		switch a.Attr.Type &^ unix.NLA_F_NESTED {
		case chainTable:
			table = nl.BytesToString(a.Value)
		case chainName:
			name = nl.BytesToString(a.Value)
		case chainPolicy:
			policy = bigEndian(a.Value)
		case chainUse:
			rules = bigEndian(a.Value)
		case chainHook:
			inner, err := nl.ParseRouteAttr(a.Value)
			if err != nil {
				return "", false
			}
			for _, h := range inner {
				if h.Attr.Type == hookNumber {
					hook = bigEndian(h.Value)
				}
			}
		}
	}
	incoming := hook == unix.NF_INET_PRE_ROUTING || hook == unix.NF_INET_LOCAL_IN
	if family == "netdev" {
		incoming = hook == unix.NF_NETDEV_INGRESS
	}
	if !incoming || rules == 0 && policy == nfAccept {
		return "", false
	}
	text = fmt.Sprintf("%s %s %s, rules %d", family, table, name, rules)
	if policy == nfDrop {
		text += ", policy drop"
	}
	return text, true
}

func bigEndian(b []byte) uint32 {
	if len(b) < 4 {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}
