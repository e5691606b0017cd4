package control

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
)

// connect serves f on one end of a pipe and returns a client on the other.
func connect(t *testing.T, f Server) *Client {
	t.Helper()
	daemon, tool := net.Pipe()
	done := make(chan error, 1)
	go func() { done <- Serve(context.Background(), daemon, f) }()
	t.Cleanup(func() {
		tool.Close()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return NewClient(tool)
}

// get runs command and returns its reply.
func get[T any](c *Client, command string, args any) (*T, error) {
	reply := new(T)
	return reply, c.Call(command, args, reply)
}

func TestClientAgainstServer(t *testing.T) {
	want := Shards{Shards: []Shard{{
		ID: 1, CPU: 3, Node: -1, State: ShardRunning, Restarts: 2,
		Counters:      Counters{Queries: 10, Replies: 9, Hits: 6, Misses: 2, HitRatio: 0.75, KernelDrops: 4, Drops: map[string]uint64{"short": 1}, Rcodes: map[string]uint64{"NOERROR": 9}},
		InFlight:      5,
		InFlightLimit: 4096,
		BatchSizes:    []BatchSize{{0, 0, 7}, {1, 1, 8}},
		ServiceTime:   Latency{Count: 9, P50Us: 1.5, P999Us: 80},
	}}}
	c := connect(t, &fakeServer{shards: want, lookup: CacheLookup{Name: "a.", Type: "A", Entries: []CacheEntry{{TTL: 5, Records: []string{"a. 5 IN A 192.0.2.1"}}}}})
	got, err := get[Shards](c, CommandShards, nil)
	if err != nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("Shards() = %+v, %v; want %+v", got, err, want)
	}
	lookup, err := get[CacheLookup](c, CommandCacheLookup, CacheLookupArgs{Name: "A.", Type: "A"})
	if err != nil || lookup.Name != "a." || len(lookup.Entries) != 1 || lookup.Entries[0].TTL != 5 {
		t.Errorf("CacheLookup() = %+v, %v", lookup, err)
	}
	flush, err := get[CacheFlush](c, CommandCacheFlush, CacheFlushArgs{Name: "example.", Subtree: true})
	if err != nil || *flush != (CacheFlush{Name: "example.", Subtree: true, Removed: 3}) {
		t.Errorf("CacheFlush() = %+v, %v", flush, err)
	}
	reloaded, err := get[ZoneList](c, CommandZoneReload, ZoneReloadArgs{Name: "example."})
	if err != nil || len(reloaded.Zones) != 1 || reloaded.Zones[0].Name != "example." || reloaded.Zones[0].State != ZoneServing {
		t.Errorf("ZoneReload() = %+v, %v", reloaded, err)
	}
	answer, err := get[ZoneLookup](c, CommandZoneLookup, ZoneLookupArgs{Name: "a.example.", Type: "A"})
	if err != nil || answer.Name != "a.example." || answer.Rcode != "NOERROR" {
		t.Errorf("ZoneLookup() = %+v, %v", answer, err)
	}
	for name, call := range map[string]func() error{
		"status":    func() error { _, err := c.Status(); return err },
		"stats":     func() error { _, err := get[CacheStats](c, CommandCacheStats, nil); return err },
		"upstreams": func() error { _, err := get[Upstreams](c, CommandUpstreams, nil); return err },
		"reload":    func() error { _, err := get[Reload](c, CommandReload, nil); return err },
		"xdp":       func() error { _, err := get[XDP](c, CommandXDP, nil); return err },
		"zones":     func() error { _, err := get[ZoneList](c, CommandZones, nil); return err },
	} {
		if err := call(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestClientErrors: the daemon's error comes back with its code, hint and
// details, and the stream stays usable.
func TestClientErrors(t *testing.T) {
	want := &Error{Code: CodeInvalidConfig, Message: "bad file", Hint: "edit it", Details: []string{"config.toml:3: cpu.shards: not a number"}}
	c := connect(t, &fakeServer{err: want})
	for range 2 {
		_, err := get[Reload](c, CommandReload, nil)
		var got *Error
		if !errors.As(err, &got) || !reflect.DeepEqual(got, want) {
			t.Fatalf("Reload() error %+v, want %+v", err, want)
		}
		if !strings.Contains(got.Error(), "config.toml:3") {
			t.Errorf("the text %q lacks the detail", got.Error())
		}
	}
}

// stream reads from in and collects what is written.
type stream struct {
	io.Reader
	bytes.Buffer
}

func (s *stream) Read(p []byte) (int, error) { return s.Reader.Read(p) }

func TestServeHangsUpOnLongLine(t *testing.T) {
	s := &stream{Reader: strings.NewReader(strings.Repeat("x", MaxRequest+100) + "\n")}
	var e *Error
	if err := Serve(context.Background(), s, &fakeServer{}); !errors.As(err, &e) || e.Code != CodeTooLarge {
		t.Errorf("Serve() = %v", err)
	}
	if !strings.Contains(s.String(), `"too_large"`) {
		t.Errorf("the peer was told %q", s.String())
	}
}

// TestServeIgnoresHalfRequest: a line without its end is not carried out.
func TestServeIgnoresHalfRequest(t *testing.T) {
	s, f := &stream{Reader: strings.NewReader(`{"command":"cache.flush"}`)}, &fakeServer{}
	if err := Serve(context.Background(), s, f); err != nil || len(f.flushes) > 0 || s.Len() > 0 {
		t.Errorf("Serve() = %v after %d flushes, wrote %q", err, len(f.flushes), s.String())
	}
}

func TestClientRefusesStrangers(t *testing.T) {
	for name, response := range map[string]string{
		"http":    "HTTP/1.1 400 Bad Request\r\n",
		"empty":   "{}\n",
		"array":   "[1]\n",
		"endless": strings.Repeat("x", MaxResponse+70000),
		"type":    `{"data":{"pid":"seven"}}` + "\n",
	} {
		_, err := NewClient(&stream{Reader: strings.NewReader(response)}).Status()
		if !errors.Is(err, ErrProtocol) {
			t.Errorf("%s: error %v, want ErrProtocol", name, err)
		}
	}
	_, err := NewClient(&stream{Reader: strings.NewReader(`{"data":`)}).Status()
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut off: error %v, want ErrUnexpectedEOF", err)
	}
}

// FuzzClient asserts that no daemon's answer makes a client panic, and that it
// never reads success out of a line that is not a response with data.
func FuzzClient(f *testing.F) {
	f.Add([]byte(`{"data":{"shards":[{"id":1,"batch_sizes":[{"min":1}]}]}}` + "\n"))
	f.Add([]byte(`{"error":{"code":"internal","message":"x"}}` + "\n"))
	f.Add([]byte("null\n"))
	f.Fuzz(func(t *testing.T, response []byte) {
		_, err := get[Shards](NewClient(&stream{Reader: bytes.NewReader(response)}), CommandShards, nil)
		if err == nil && !bytes.Contains(bytes.ToLower(response), []byte("data")) && !bytes.Contains(response, []byte(`\u`)) {
			t.Fatalf("success from %q", response)
		}
	})
}
