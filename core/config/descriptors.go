package config

// Files that are open beside those of the shards, and of each shard beside its sockets: logs, zones while they are loaded,
// the admin socket, the metrics and the page with their connections; pollers, timers, wake-ups, connections towards servers.
const (
	processFiles = 128
	shardFiles   = 80
)

// sharedSockets are those towards servers that return cookies, in use and replaced, for both address families.
const sharedSockets = 64

// Descriptors returns how many files a process with so many shards may have open at most.
func (c *Config) Descriptors(shards int) int {
	each := c.TCP.MaxConnections + c.Resolver.UpstreamPorts + sharedSockets + 2*len(c.Server.Listen) + shardFiles
	return processFiles + shards*each
}
