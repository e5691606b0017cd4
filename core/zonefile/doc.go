// Package zonefile reads master files (RFC 1035, section 5): records in presentation form, with $ORIGIN,
// $INCLUDE, $TTL (RFC 2308, section 4) and $GENERATE.
//
// All types of the IANA registry are read by the package itself, straight from the text into wire form; others
// come in the generic form of RFC 3597. A file is read through a buffer of bounded size, and no record is kept.
package zonefile
