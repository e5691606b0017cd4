package settings

import (
	"testing"

	"heimdall/core/config"
)

// The configuration counts as many open files for a shard as its sockets towards servers may need.
func TestDescriptorsOfOutboundSockets(t *testing.T) {
	c := config.Default()
	each := c.Descriptors(2) - c.Descriptors(1)
	others := c.TCP.MaxConnections + 2*len(c.Server.Listen)
	if need := outboundOptions(c).Descriptors(); each-others < need {
		t.Errorf("%d files are counted beside %d of clients, %d are needed", each-others, others, need)
	}
}
