// Package zonefile reads master files (RFC 1035, section 5): records in presentation form, with $ORIGIN,
// $INCLUDE, $TTL (RFC 2308, section 4) and $GENERATE.
//
// The common types are read by the package itself, straight from the text into wire form; the RDATA of all
// others goes through miekg/dns, or comes in the generic form of RFC 3597. A file is read through a buffer
// of bounded size, and no record is kept.
package zonefile
