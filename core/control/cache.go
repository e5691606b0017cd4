package control

// CacheLookupArgs are the arguments of the command cache.lookup.
type CacheLookupArgs struct {
	Name string `json:"name"` // presentation form
	Type string `json:"type"` // mnemonic or TYPEnnn
}

// CacheLookup is what the caches of all shards hold for one name and type. No
// entries means that it is not cached.
type CacheLookup struct {
	Name    string       `json:"name"` // as understood: absolute, lower case
	Type    string       `json:"type"`
	Entries []CacheEntry `json:"entries"`
}

// CacheEntry is one cached response. The same question has several when clients
// set the DO or CD bit differently, belong to different views, or asked through
// different shards.
type CacheEntry struct {
	Shard   int      `json:"shard"`
	View    int      `json:"view"`
	DO      bool     `json:"do"`
	CD      bool     `json:"cd"`
	Rcode   string   `json:"rcode"`
	AD      bool     `json:"ad"`
	Stale   bool     `json:"stale"`         // expired, kept for RFC 8767
	TTL     uint32   `json:"ttl"`           // seconds left; 0 when stale
	OrigTTL uint32   `json:"original_ttl"`  // seconds when stored
	Hits    uint64   `json:"hits"`          // since it was stored
	Bytes   int      `json:"bytes"`         // in the store, its key included
	EDE     string   `json:"ede,omitempty"` // extended error served with it, RFC 8914
	Records []string `json:"records,omitempty"`
}

// CacheFlushArgs are the arguments of the command cache.flush.
type CacheFlushArgs struct {
	Name    string `json:"name,omitempty"`    // presentation form; empty: everything
	Subtree bool   `json:"subtree,omitempty"` // also every name below Name
}

// CacheFlush is the reply to the command cache.flush.
type CacheFlush struct {
	Name    string `json:"name,omitempty"` // as understood; empty: everything
	Subtree bool   `json:"subtree,omitempty"`
	Removed uint64 `json:"removed"` // entries, over all shards
}

// CacheStats is the reply to the command cache.stats.
type CacheStats struct {
	Engine string       `json:"engine"`
	Total  CacheShard   `json:"total"` // sum of the shards; its Shard is -1
	Shards []CacheShard `json:"shards"`
}

// CacheShard is the answer cache of one shard.
type CacheShard struct {
	Shard         int               `json:"shard"`
	Entries       uint64            `json:"entries"`
	BytesUsed     uint64            `json:"bytes_used"`
	BytesCapacity uint64            `json:"bytes_capacity"`
	IndexBuckets  uint64            `json:"index_buckets"`
	Hits          uint64            `json:"hits"` // stale ones included
	StaleHits     uint64            `json:"stale_hits"`
	Misses        uint64            `json:"misses"`
	HitRatio      float64           `json:"hit_ratio"` // Hits / (Hits + Misses)
	Inserts       uint64            `json:"inserts"`
	Expired       uint64            `json:"expired"`
	Flushed       uint64            `json:"flushed"`
	TooLarge      uint64            `json:"too_large"` // served but not stored
	Evictions     map[string]uint64 `json:"evictions,omitempty"`
}

// Add adds o to c and leaves c.Shard as it is.
func (c *CacheShard) Add(o *CacheShard) {
	c.Entries += o.Entries
	c.BytesUsed += o.BytesUsed
	c.BytesCapacity += o.BytesCapacity
	c.IndexBuckets += o.IndexBuckets
	c.Hits += o.Hits
	c.StaleHits += o.StaleHits
	c.Misses += o.Misses
	c.HitRatio = Ratio(c.Hits, c.Misses)
	c.Inserts += o.Inserts
	c.Expired += o.Expired
	c.Flushed += o.Flushed
	c.TooLarge += o.TooLarge
	c.Evictions = addCounts(c.Evictions, o.Evictions)
}
