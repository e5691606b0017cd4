package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// dispatched is what one request is answered with.
func dispatched(s Server, line string) []byte {
	var out bytes.Buffer
	if err := Dispatch(context.Background(), &out, s, []byte(line)); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// dispatch runs one request and decodes its response.
func dispatch(t *testing.T, s Server, line string) Response {
	t.Helper()
	out := dispatched(s, line)
	var resp Response
	if err := json.Unmarshal(out, &resp); err != nil {
		t.Fatalf("response %q: %v", out, err)
	}
	return resp
}

func TestDispatchRefuses(t *testing.T) {
	long := strings.Repeat("a", maxName+1)
	for _, tt := range []struct {
		line string
		code Code
		text string // part of the message
	}{
		{``, CodeBadRequest, "not valid"},
		{`{`, CodeBadRequest, "not valid"},
		{`[]`, CodeBadRequest, "not valid"},
		{`"status"`, CodeBadRequest, "not valid"},
		{`{"command":7}`, CodeBadRequest, "not valid"},
		{`{"command":"status"}{}`, CodeBadRequest, "more than one"},
		{`{"command":"status"}}`, CodeBadRequest, "more than one"},
		{`{"command":"status","verbose":true}`, CodeBadRequest, "verbose"},
		{`{"command":"status","args":{"x":1}}`, CodeBadRequest, "arguments"},
		{`null`, CodeUnknownCommand, `""`},
		{`{"command":"shutdown"}`, CodeUnknownCommand, `"shutdown"`},
		{`{"command":"` + long + `"}`, CodeUnknownCommand, "…"},
		{`{"command":"cache.lookup"}`, CodeBadRequest, "name is missing"},
		{`{"command":"cache.lookup","args":{"name":"a."}}`, CodeBadRequest, "type is missing"},
		{`{"command":"cache.lookup","args":{"name":"a b.","type":"A"}}`, CodeBadRequest, "printable"},
		{`{"command":"cache.lookup","args":{"name":"ü.","type":"A"}}`, CodeBadRequest, "printable"},
		{`{"command":"cache.lookup","args":{"name":"` + long + `","type":"A"}}`, CodeBadRequest, "longer"},
		{`{"command":"cache.lookup","args":{"name":"a.","type":"TYPE1234567890123"}}`, CodeBadRequest, "longer"},
		{`{"command":"cache.lookup","args":{"name":"a.","type":"A","do":true}}`, CodeBadRequest, "do"},
		{`{"command":"cache.flush","args":{"subtree":true}}`, CodeBadRequest, "needs a name"},
		{`{"command":"cache.flush","args":{"name":"\u0000"}}`, CodeBadRequest, "printable"},
		{`{"command":"explain","args":{"name":"a."}}`, CodeBadRequest, "type is missing"},
		{`{"command":"explain","args":{"name":"a.","type":"A","client":"nobody"}}`, CodeBadRequest, "want an address"},
		{`{"command":"tuned"}`, CodeBadRequest, "1 to 64 changes"},
		{`{"command":"tuned","args":{"changes":["` + long + `"]}}`, CodeBadRequest, "longer than 512"},
		{`{"command":"diff","args":{"x":1}}`, CodeBadRequest, "arguments"},
		{`{"command":"zones","args":{"name":"a."}}`, CodeBadRequest, "arguments"},
		{`{"command":"zone.reload","args":{"name":"a b."}}`, CodeBadRequest, "printable"},
		{`{"command":"zone.reload","args":{"all":true}}`, CodeBadRequest, "all"},
		{`{"command":"zone.lookup","args":{"type":"A"}}`, CodeBadRequest, "name is missing"},
		{`{"command":"zone.lookup","args":{"name":"a.","do":true}}`, CodeBadRequest, "type is missing"},
		{`{"command":"zone.lookup","args":{"name":"` + long + `","type":"A"}}`, CodeBadRequest, "longer"},
		{strings.Repeat(" ", MaxRequest+1), CodeTooLarge, "longer"},
	} {
		f := &fakeServer{}
		resp := dispatch(t, f, tt.line)
		if resp.Error == nil || resp.Data != nil {
			t.Errorf("%.60q was not refused", tt.line)
			continue
		}
		if resp.Error.Code != tt.code || !strings.Contains(resp.Error.Message, tt.text) {
			t.Errorf("%.60q: %s %q, want %s with %q", tt.line, resp.Error.Code, resp.Error.Message, tt.code, tt.text)
		}
		if len(f.lookups)+len(f.flushes)+len(f.reloads)+len(f.zones) > 0 {
			t.Errorf("%.60q reached the server", tt.line)
		}
	}
}

func TestDispatchPassesArguments(t *testing.T) {
	f := &fakeServer{}
	dispatch(t, f, `{"command":"cache.lookup","args":{"name":"www.example.","type":"AAAA"}}`+"\n")
	if want := []CacheLookupArgs{{Name: "www.example.", Type: "AAAA"}}; !slices.Equal(f.lookups, want) {
		t.Errorf("lookups %v, want %v", f.lookups, want)
	}
	dispatch(t, f, `{"command":"cache.flush"}`)
	dispatch(t, f, `{"command":"cache.flush","args":{"name":"example.","subtree":true}}`)
	if want := []CacheFlushArgs{{}, {Name: "example.", Subtree: true}}; !slices.Equal(f.flushes, want) {
		t.Errorf("flushes %v, want %v", f.flushes, want)
	}
	dispatch(t, f, `{"command":"zone.reload"}`)
	dispatch(t, f, `{"command":"zone.reload","args":{"name":"example."}}`)
	if want := []ZoneReloadArgs{{}, {Name: "example."}}; !slices.Equal(f.reloads, want) {
		t.Errorf("reloads %v, want %v", f.reloads, want)
	}
	dispatch(t, f, `{"command":"zone.lookup","args":{"name":"www.example.","type":"A","do":true}}`)
	if want := []ZoneLookupArgs{{Name: "www.example.", Type: "A", DO: true}}; !slices.Equal(f.zones, want) {
		t.Errorf("zone lookups %v, want %v", f.zones, want)
	}
}

// TestDispatchCommands runs every command and sees data, not an error.
func TestDispatchCommands(t *testing.T) {
	args := map[string]string{CommandCacheLookup: `{"name":".","type":"NS"}`, CommandZoneLookup: `{"name":".","type":"NS"}`}
	for _, command := range []string{
		CommandStatus, CommandShards, CommandCacheLookup, CommandCacheFlush, CommandCacheStats, CommandUpstreams, CommandReload,
		CommandZones, CommandZoneReload, CommandZoneLookup, CommandXDP,
	} {
		line := fmt.Sprintf(`{"command":%q}`, command)
		if a := args[command]; a != "" {
			line = fmt.Sprintf(`{"command":%q,"args":%s}`, command, a)
		}
		if resp := dispatch(t, &fakeServer{}, line); resp.Error != nil || len(resp.Data) == 0 || resp.Data[0] != '{' {
			t.Errorf("%s: data %s, error %v", command, resp.Data, resp.Error)
		}
	}
}

func TestDispatchErrors(t *testing.T) {
	for _, tt := range []struct {
		err  error
		code Code
	}{
		{Errorf(CodeInvalidConfig, "2 errors"), CodeInvalidConfig},
		{fmt.Errorf("reload: %w", Errorf(CodeUnavailable, "draining")), CodeUnavailable},
		{fmt.Errorf("ask shard 3: %w", context.DeadlineExceeded), CodeTimeout},
		{context.Canceled, CodeUnavailable},
		{errors.New("disk on fire"), CodeInternal},
	} {
		resp := dispatch(t, &fakeServer{err: tt.err}, `{"command":"reload"}`)
		if resp.Error == nil || resp.Error.Code != tt.code || resp.Error.Message == "" {
			t.Errorf("%v became %+v, want code %s", tt.err, resp.Error, tt.code)
		}
	}
}

// TestDispatchBoundsResponse: neither data nor an error passes MaxResponse.
func TestDispatchBoundsResponse(t *testing.T) {
	huge := strings.Repeat("x", MaxResponse)
	resp := dispatch(t, &fakeServer{status: Status{Version: huge}}, `{"command":"status"}`)
	if resp.Error == nil || resp.Error.Code != CodeTooLarge {
		t.Errorf("a huge status gave %+v", resp.Error)
	}
	resp = dispatch(t, &fakeServer{err: errors.New(huge)}, `{"command":"status"}`)
	if resp.Error == nil || resp.Error.Code != CodeInternal {
		t.Errorf("a huge error gave %.100v", resp.Error)
	}
}

// FuzzDispatch asserts that whatever arrives gets exactly one line, a response
// with either data or an error, and that the server sees only checked arguments.
func FuzzDispatch(f *testing.F) {
	for _, seed := range []string{
		`{"command":"status"}`, `{"command":"cache.lookup","args":{"name":"a\\032b.","type":"A"}}`,
		`{"command":"cache.flush","args":{"name":"example.","subtree":true}}`, `{"command":"reload","args":null}`,
		`{"command":"zone.lookup","args":{"name":"a.","type":"A","do":true}}`, `{"command":"zone.reload","args":{"name":"example."}}`,
		`[[[[`, "{\"command\":\"\xff\"}", "\n\n", `{"COMMAND":"status","command":"shards"}`,
		`{"command":"profile","args":{"kind":"cpu","seconds":3}}`,
		`{"command":"explain","args":{"name":"a.","type":"A","client":"::1","do":true,"tcp":true}}`, `{"command":"diff"}`, `{"command":"tuned","args":{"changes":["x"]}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		s := &fakeServer{}
		out := dispatched(s, string(line))
		if len(out) == 0 || len(out) > MaxResponse || slices.Index(out, '\n') != len(out)-1 {
			t.Fatalf("not one line: %q", out)
		}
		var resp Response
		if err := json.Unmarshal(out, &resp); err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		if (resp.Error == nil) == (resp.Data == nil) {
			t.Fatalf("data and error, or neither: %q", out)
		}
		for _, a := range s.lookups {
			if a.Name == "" || a.Type == "" || len(a.Name) > maxName || len(a.Type) > maxType {
				t.Fatalf("lookup %+v reached the server", a)
			}
		}
		for _, a := range s.flushes {
			if a.Name == "" && a.Subtree || len(a.Name) > maxName {
				t.Fatalf("flush %+v reached the server", a)
			}
		}
		for _, a := range s.zones {
			if a.Name == "" || a.Type == "" || len(a.Name) > maxName || len(a.Type) > maxType {
				t.Fatalf("zone lookup %+v reached the server", a)
			}
		}
		for _, a := range s.profiles {
			if a.check() != nil || a.Seconds < 0 || a.Seconds > MaxProfileSeconds {
				t.Fatalf("profile %+v reached the server", a)
			}
		}
		for _, a := range s.reloads {
			if len(a.Name) > maxName {
				t.Fatalf("zone reload %+v reached the server", a)
			}
		}
	})
}
