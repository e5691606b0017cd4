package main

import (
	"context"
	"strings"
	"testing"

	"heimdall/core/control"
)

func (d *fakeDaemon) NTAAdd(_ context.Context, a control.NTAArgs) (*control.NTAList, error) {
	l, err := d.NTAs(context.Background())
	l.Anchors = append(l.Anchors, control.NTA{Zone: a.Name, Source: control.AnchorRuntime})
	l.Flushed = 1234
	return l, err
}

func (d *fakeDaemon) NTARemove(context.Context, control.NTAArgs) (*control.NTAList, error) {
	return &control.NTAList{Flushed: 1}, d.err
}

func (d *fakeDaemon) NTAs(context.Context) (*control.NTAList, error) {
	return &control.NTAList{Anchors: []control.NTA{{Zone: "corp.example.", Source: control.AnchorConfig}}}, d.err
}

func (d *fakeDaemon) Infra(_ context.Context, a control.InfraArgs) (*control.Infra, error) {
	if a.Address == "192.0.2.99" {
		return &control.Infra{Servers: []control.InfraServer{}}, d.err
	}
	return &control.Infra{Truncated: true, Servers: []control.InfraServer{
		{Address: "192.0.2.1:53", State: control.UpstreamUp, Shards: 2, SRTTUs: 12345, RTOUs: 62000, Queries: 1000, Responses: 998, Timeouts: 2, EDNS: "yes", KeepCase: "yes"},
		{Address: "[2001:db8::1]:53", State: control.UpstreamDown, Shards: 1, RTOUs: 3e6, Queries: 4, Timeouts: 4, EDNS: "unknown", KeepCase: "unknown", Failures: map[string]uint64{"network": 2}},
	}}, d.err
}

func (d *fakeDaemon) DNSSECStatus(context.Context) (*control.DNSSECStatus, error) {
	return &control.DNSSECStatus{
		Validation: true,
		Anchors: []control.TrustAnchor{{Zone: ".", Source: control.AnchorUpdated, Keys: []control.AnchorKey{
			{Tag: 20326, Algorithm: "RSASHA256", Digest: "SHA-256"}, {Tag: 38696, Algorithm: "RSASHA256", Digest: "SHA-256"},
		}}, {Zone: "gone.example.", Source: control.AnchorFile}},
		Negative: []control.NTA{{Zone: "corp.example.", Source: control.AnchorRuntime}},
		Verdicts: map[string]uint64{"secure": 1000, "insecure": 9000, "bogus": 3}, Bogus: map[string]uint64{"signature expired": 3},
		Jobs: 1200, JobsRefused: 1, JobsWaiting: 2, MemoHits: 300, MemoMisses: 1100,
		Update: &control.AnchorUpdate{
			File: "/var/lib/heimdall/root.keys", Next: 1800000000, Queries: 10, Failures: 1, Unstored: 2, LastFail: "no space left\non device",
			Keys: []control.TrackedKey{{Tag: 20326, State: "valid", Since: 1700000000}},
		},
	}, d.err
}

func (d *fakeDaemon) Trace(_ context.Context, a control.TraceArgs) (*control.Trace, error) {
	r := &control.Trace{Name: a.Name, Type: a.Type, Shard: 1, Dropped: 3, Queries: 2, TookUs: 34567, Rcode: "NOERROR", AD: !a.CD, Answer: []string{"www.example. 300 IN A 192.0.2.1"}}
	if a.Name == "bad.example." {
		return &control.Trace{Name: a.Name, Type: a.Type, Rcode: "SERVFAIL", EDE: "7: signature expired"}, d.err
	}
	r.Steps = []control.TraceStep{
		{Kind: "query", Name: "example.", Type: "A", Server: "192.0.2.1:53", Text: "over UDP, EDNS, 0x20"},
		{AtUs: 12345, Kind: "response", Name: "example.", Type: "A", Server: "192.0.2.1:53", RTTUs: 12345, Text: "NOERROR; answer 0, authority 1, additional 0; 60 octets", Records: []string{"authority\texample. 3600 IN NS \x1b[31mns.example."}},
		{AtUs: 12350, Kind: "referral", Name: "www.example.", Type: "A", Text: "to the servers of example."},
		{AtUs: 12360, Depth: 1, Kind: "query", Name: "ns.example.", Type: "AAAA", Server: "192.0.2.2:53", Text: "over TCP"},
	}
	return r, d.err
}

func TestResolverOutput(t *testing.T) {
	for _, tt := range []struct{ name, args string }{
		{"nta-add", "nta add broken.example."},
		{"nta-remove", "nta remove broken.example."},
		{"nta-list", "nta list"},
		{"nta-list-json", "nta list -json"},
		{"infra", "infra"},
		{"infra-json", "infra 192.0.2.1 -json"},
		{"dnssec-status", "dnssec status"},
		{"dnssec-status-json", "dnssec status -json"},
		{"trace", "trace www.example. a"},
		{"trace-json", "trace -cd www.example. a -json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errOut := runTool(start(t, &fakeDaemon{}), strings.Fields(tt.args)...)
			if code != exitOK || errOut != "" {
				t.Fatalf("exit code %d, error output %q", code, errOut)
			}
			golden(t, tt.name, out)
		})
	}
}

// TestResolverOutcomes: what is not there, does not resolve or makes no sense has its exit code.
func TestResolverOutcomes(t *testing.T) {
	path := start(t, &fakeDaemon{})
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{"infra 192.0.2.99", exitFailed, "nothing is known of 192.0.2.99"},
		{"infra ns.example.", exitFailed, "want one such as"},
		{"trace bad.example. A", exitFailed, "signature expired"},
		{"trace bad.example.", exitUsage, "a NAME and a TYPE"},
		{"nta", exitUsage, "nta add, nta remove or nta list"},
		{"nta add", exitUsage, "a NAME"},
		{"dnssec", exitUsage, "dnssec status"},
	} {
		code, _, errOut := runTool(path, strings.Fields(tt.args)...)
		if code != tt.code || !strings.Contains(errOut, tt.want) {
			t.Errorf("%s: exit code %d, error output %q", tt.args, code, errOut)
		}
	}
}

// Before any server has been asked the list says so.
func TestNoInfra(t *testing.T) {
	var out strings.Builder
	if showInfra(&out, new(control.Infra)); out.String() != "no server has been asked yet\n" {
		t.Errorf("%q", out.String())
	}
}
