package dnssec

// Status is what validation found out about records or a response (RFC 4033, section 5). The order is
// that of trust: a whole is worth as much as the least of its parts.
type Status uint8

const (
	// Unchecked, the zero value: nobody has looked yet.
	Unchecked Status = iota
	// Bogus: there should be a chain of trust, but it is broken. The data must not be used.
	Bogus
	// Indeterminate: no trust anchor covers the name.
	Indeterminate
	// Insecure: a chain of trust proves that the data need not be signed, or is signed in a way that
	// this validator does not know.
	Insecure
	// Secure: a chain of signatures leads from a trust anchor to the data.
	Secure
)

// String returns the status in the words of RFC 4033.
func (s Status) String() string {
	switch s {
	case Bogus:
		return "bogus"
	case Indeterminate:
		return "indeterminate"
	case Insecure:
		return "insecure"
	case Secure:
		return "secure"
	}
	return "unchecked"
}

// Result is a status with its cause. The zero value is Unchecked.
type Result struct {
	Status Status
	Reason Reason
}

// String returns the status and, if there is one, the reason.
func (r Result) String() string {
	if r.Reason == ReasonNone {
		return r.Status.String()
	}
	return r.Status.String() + ": " + r.Reason.String()
}

// worse returns the one of a and b with less trust, a if both have the same.
func worse(a, b Result) Result {
	if b.Status < a.Status {
		return b
	}
	return a
}
