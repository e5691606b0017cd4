package config

import (
	"strings"
	"testing"
)

func TestCheckRecords(t *testing.T) {
	for text, want := range map[string]string{
		"[query_log]\nenabled = true\nfile = \"/q\"\n[dnstap]\noutput = \"file:/./q\"\n": "f:5: dnstap.output: /./q is also query_log.file",
		"[query_log]\nenabled = true\nfile = \"/q\"\n[dnstap]\noutput = \"file:/r\"\n":   "",
		"[query_log]\nenabled = true\n[log]\nlevel = \"warn\"\n": "warning f:1: query_log.file: is empty, and the daemon's log leaves out " +
			"lines of level info: nothing is logged; set a file, or log.level = \"info\"",
		"[query_log]\nenabled = true\nfile = \"/q\"\n[log]\nlevel = \"warn\"\n": "",
	} {
		_, problems := Load("f", []byte(text))
		var got []string
		for _, p := range problems {
			text := p.Error()
			if p.Warning {
				text = "warning " + text
			}
			got = append(got, text)
		}
		if strings.Join(got, "\n") != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestCheckShards(t *testing.T) {
	c, _ := Load("f", []byte("[cache]\nmemory = \"1MiB\"\n"))
	if err := c.CheckShards(4); err != nil {
		t.Error(err)
	}
	if err := c.CheckShards(5); err == nil || !strings.HasPrefix(err.Error(), "f:2: cache.memory: ") {
		t.Errorf("five shards: %v", err)
	}
}
