package config

// Files that are open beside those of the shards, and of each shard beside its sockets: logs, zones while they are loaded,
// the admin socket and the metrics with their connections; pollers, timers, wake-ups, connections towards servers.
const (
	processFiles = 128
	shardFiles   = 80
)

// Descriptors returns how many files a process with so many shards may have open at most. Towards servers they are
// sockets in use and sockets replaced, for both address families.
func (c *Config) Descriptors(shards int) int {
	each := c.TCP.MaxConnections + 4*c.Resolver.UpstreamPorts + 2*len(c.Server.Listen) + shardFiles
	return processFiles + shards*each
}
