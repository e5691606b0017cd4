package control

import (
	"context"
	"strings"
	"testing"
)

func (f *fakeServer) NTAAdd(_ context.Context, a NTAArgs) (*NTAList, error) {
	return &NTAList{Anchors: []NTA{{Zone: a.Name, Source: AnchorRuntime}}}, f.err
}

func (f *fakeServer) NTARemove(_ context.Context, a NTAArgs) (*NTAList, error) {
	return &NTAList{Anchors: []NTA{{Zone: "not." + a.Name, Source: AnchorConfig}}}, f.err
}

func (f *fakeServer) NTAs(context.Context) (*NTAList, error) { return &NTAList{}, f.err }

func (f *fakeServer) Infra(_ context.Context, a InfraArgs) (*Infra, error) {
	return &Infra{Servers: []InfraServer{{Address: a.Address}}}, f.err
}

func (f *fakeServer) DNSSECStatus(context.Context) (*DNSSECStatus, error) {
	return &DNSSECStatus{Validation: true}, f.err
}

func (f *fakeServer) Trace(_ context.Context, a TraceArgs) (*Trace, error) {
	return &Trace{Name: a.Name, Type: a.Type, AD: a.CD}, f.err
}

// TestResolverCommands: each gets to its method with its arguments, and what makes no sense does not.
func TestResolverCommands(t *testing.T) {
	for _, tt := range []struct{ request, want string }{
		{`{"command":"nta.add","args":{"name":"corp.example."}}`, `"zone":"corp.example.","source":"command"`},
		{`{"command":"nta.remove","args":{"name":"corp.example."}}`, `"zone":"not.corp.example."`},
		{`{"command":"nta.list"}`, `"anchors":null`},
		{`{"command":"infra"}`, `"address":""`},
		{`{"command":"infra","args":{"address":"192.0.2.1"}}`, `"address":"192.0.2.1"`},
		{`{"command":"infra","args":{"address":"[2001:db8::1]:53"}}`, `"address":"[2001:db8::1]:53"`},
		{`{"command":"dnssec.status"}`, `"validation":true`},
		{`{"command":"trace","args":{"name":"a.example.","type":"A","cd":true}}`, `"ad":true`},
		{`{"command":"nta.add"}`, `the name is missing`},
		{`{"command":"nta.remove","args":{"name":"a b"}}`, `printable`},
		{`{"command":"nta.list","args":{"name":"a."}}`, `not valid`},
		{`{"command":"infra","args":{"address":"ns.example."}}`, `want one such as`},
		{`{"command":"infra","args":{"address":"` + strings.Repeat("1", 81) + `"}}`, `longer than 80`},
		{`{"command":"trace","args":{"name":"a.example."}}`, `the type is missing`},
		{`{"command":"dnssec.status","args":{"x":1}}`, `not valid`},
	} {
		if out := string(dispatched(&fakeServer{}, tt.request)); !strings.Contains(out, tt.want) {
			t.Errorf("%s: %s, want %s in it", tt.request, out, tt.want)
		}
	}
}
