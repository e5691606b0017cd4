package servers

// Failure is why a query to a server brought nothing.
type Failure uint8

const (
	FailServFail  Failure = iota // answered SERVFAIL
	FailRefused                  // answered REFUSED
	FailFormErr                  // answered FORMERR or NOTIMP, without EDNS too
	FailRcode                    // answered another unexpected rcode
	FailLame                     // not authoritative, or no recursion
	FailMalformed                // a message that cannot be read
	FailTruncated                // truncated over TCP
	FailNetwork                  // could not be sent, or the stream broke
	FailCookie                   // does not take the cookie that it gave
	FailCase                     // letter case not kept and the answer not confirmed
	FailBogus                    // what it answered does not validate
	Failures
)

var failureNames = [Failures]string{"servfail", "refused", "formerr", "rcode", "lame", "malformed", "truncated", "network", "cookie", "case", "bogus"}

func (f Failure) String() string { return failureNames[f] }
