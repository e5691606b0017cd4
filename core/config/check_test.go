package config

import (
	"strings"
	"testing"
)

func TestCheckShards(t *testing.T) {
	c, _ := Load("f", []byte("[cache]\nmemory = \"1MiB\"\n"))
	if err := c.CheckShards(4); err != nil {
		t.Error(err)
	}
	if err := c.CheckShards(5); err == nil || !strings.HasPrefix(err.Error(), "f:2: cache.memory: ") {
		t.Errorf("five shards: %v", err)
	}
}
