package core

import "heimdall/core/wire"

// failure is why a query gets a response without data.
type failure uint8

const (
	malformed failure = iota
	otherOpcode
	otherVersion
	prohibited
	notKnown
	shuttingDown
	tooManyInFlight
	tooManyWaiting
	aboveShare
	waitedTooLong
	noServer
)

// failures lists what error responses tell: the response code, and the extended error (RFC 8914) with its text.
var failures = [...]struct {
	rcode wire.Rcode
	code  wire.EDE
	text  string
}{
	malformed:       {wire.RcodeFormErr, wire.EDEOther, ""},
	otherOpcode:     {wire.RcodeNotImp, wire.EDEOther, ""},
	otherVersion:    {wire.RcodeBadVers, wire.EDEOther, ""},
	prohibited:      {wire.RcodeRefused, wire.EDEProhibited, ""},
	notKnown:        {wire.RcodeRefused, wire.EDENotAuthoritative, ""},
	shuttingDown:    {wire.RcodeServFail, wire.EDENotReady, "shutting down"},
	tooManyInFlight: {wire.RcodeServFail, wire.EDEOther, "too many queries in flight"},
	tooManyWaiting:  {wire.RcodeServFail, wire.EDEOther, "too many queries waiting"},
	aboveShare:      {wire.RcodeServFail, wire.EDEOther, "the client has more than its share of queries waiting"},
	waitedTooLong:   {wire.RcodeServFail, wire.EDEOther, "waited too long for its turn"},
	noServer:        {wire.RcodeServFail, wire.EDENotReady, "no server is configured for this name"},
}
