package dnssec

import (
	"heimdall/core/dname"
	"heimdall/core/wire"
)

// Response is a response as validation sees it: its question, and its RRsets in the order of the message.
type Response struct {
	Name  dname.Name
	Type  wire.Type
	Class wire.Class
	Rcode wire.Rcode
	Sets  []RRset
	// Complete says that the aliases have been followed to their end, be it by the server that was asked or
	// by joining several responses: if there is no answer for the last name, there is none. A resolver that
	// follows aliases joins the responses, the authority sections included, and validates the whole: one
	// response may have the proof for what is missing in the next.
	Complete bool
}
