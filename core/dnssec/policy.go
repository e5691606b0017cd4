package dnssec

// Policy holds what an operator may decide about validation. DefaultPolicy returns the usual one; the zero
// value verifies nothing. It must not change while it is in use.
type Policy struct {
	// SkewMin and SkewMax, in seconds, bound the tolerance towards clocks that differ: a signature may be
	// used before and after its time by a tenth of its life, but by no less than SkewMin and no more than
	// SkewMax.
	SkewMin, SkewMax uint32
	// SHA1 says that algorithms 5 and 7 and DS digest type 1 are verified. If not, they count as not
	// supported, so that zones which have nothing better are insecure (RFC 9905).
	SHA1 bool
	// MaxIterations is the highest NSEC3 iteration count that is computed. Proofs with more are insecure
	// (RFC 9276, section 3.2).
	MaxIterations uint16
	// BogusIterations is the iteration count from which on a proof is bogus. Zero: none.
	BogusIterations uint16
	// MaxSignatures is the number of verifications spent on one RRset before it is bogus.
	MaxSignatures int
	// MaxCollisions is the number of keys tried for one signature, or one DS record, when several have
	// the same tag and algorithm.
	MaxCollisions int
	// MaxKeys is the number of keys of a DNSKEY RRset that are looked at, and of DS records with them.
	MaxKeys int
}

// DefaultPolicy returns the policy for daily use. Where it comes from:
//
//   - the skew of 1 hour to 1 day is Unbound's;
//   - SHA-1 is on, as in Unbound: RFC 9905, section 2, has implementations go on verifying it and leaves
//     it to operators to stop;
//   - 50 iterations is what BIND, Knot Resolver and PowerDNS take (Unbound: 150); RFC 9276 lets validators
//     choose any limit;
//   - 8 signatures an RRset is Unbound's answer to CVE-2023-50387, and so is 4 keys with the same tag;
//   - 32 keys is more than twice what any zone is known to publish.
func DefaultPolicy() Policy {
	return Policy{
		SkewMin:       3600,
		SkewMax:       86400,
		SHA1:          true,
		MaxIterations: 50,
		MaxSignatures: 8,
		MaxCollisions: 4,
		MaxKeys:       32,
	}
}

// Budget bounds the work for one client query, or for as many responses as share it. Whoever runs out of
// it is bogus. The zero value allows nothing.
type Budget struct {
	// Signatures is the number of public key operations that may still be made, whatever their outcome.
	Signatures int
	// Failures is the number of them that may still fail. Honest zones hardly need any, so that this,
	// and not Signatures, is what stops an attacker (KeyTrap, CVE-2023-50387).
	Failures int
	// Micros is the time in microseconds that the public key operations, DS digests and NSEC3 hashes may still take, by a
	// table of what they cost on a server CPU: there is no clock here. Good signatures by slow keys are an attack too.
	Micros int
	// HashBlocks is the number of 64-octet blocks that SHA-1 may still work through for NSEC3 hashes
	// (CVE-2023-50868). A name costs one block and one more for each iteration; more with a long salt.
	HashBlocks int

	blocks int // worked through, as far as they do not make a microsecond yet
}

// DefaultBudget returns the budget for one client query: 128 signatures are a chain of 16 CNAME records
// through as many zones with 8 RRsets each; 16 failures are two RRsets' worth (BIND lets a query fail once and
// makes 16 validations); 12 ms are 200 signatures by P-256 keys, 46 by RSA keys of 4096 bits, or 20 by P-384 keys, of which a denial by NSEC3 takes
// 4 and each zone on the way 2; 4096 blocks are 80 names at the iteration limit (Unbound: 128 names), about 0.6 ms, for
// which 1 ms of the 12 is taken.
func DefaultBudget() Budget {
	return Budget{Signatures: 128, Failures: 16, Micros: 12000, HashBlocks: 4096}
}

// Spend takes from b what has been spent of given, of which left is left.
func (b *Budget) Spend(given, left Budget) {
	b.Signatures -= given.Signatures - left.Signatures
	b.Failures -= given.Failures - left.Failures
	b.Micros -= given.Micros - left.Micros
	b.HashBlocks -= given.HashBlocks - left.HashBlocks
}

// octetsPerMicro is how many octets SHA-256 and SHA-384 hash in a microsecond at least on a CPU without instructions
// for them.
const octetsPerMicro = 256

// afford takes the cost of an operation from b, which hashes so many octets besides; false if that is not left.
func (b *Budget) afford(micros, octets int) bool {
	micros += octets / octetsPerMicro
	if b.Micros < micros {
		return false
	}
	b.Micros -= micros
	return true
}

// blocksPerMicro is how many blocks of 64 octets SHA-1 works through in a microsecond at least, as octetsPerMicro.
const blocksPerMicro = 4

// HashBudget returns a budget for as many blocks of NSEC3 hashes, and nothing else.
func HashBudget(blocks int) Budget {
	return Budget{HashBlocks: blocks, Micros: blocks / blocksPerMicro}
}

// affordHash takes the cost of an NSEC3 hash of so many blocks from b; false if that is not left.
func (b *Budget) affordHash(blocks int) bool {
	if b.HashBlocks < blocks || b.Micros < (b.blocks+blocks)/blocksPerMicro {
		return false
	}
	b.HashBlocks -= blocks
	b.blocks += blocks
	b.Micros -= b.blocks / blocksPerMicro
	b.blocks %= blocksPerMicro
	return true
}

// Memo remembers the outcome of public key operations. Implementations are safe for concurrent use.
type Memo interface {
	// Get returns what Put was told of key, and whether it remembers.
	Get(key MemoKey) (valid, ok bool)
	// Put takes the outcome and about how many microseconds it took to find out.
	Put(key MemoKey, valid bool, cost int)
}

// MemoKey is a SHA-256 hash of everything that the outcome depends on: the public key, the signature and
// the signed data.
type MemoKey [32]byte
