package anchors

import (
	"heimdall/core/dname"
	"heimdall/core/dnssec"
)

// Lifetime is from when until when, in seconds since 1970, a signature is good.
type Lifetime struct{ From, Until int64 }

// RootSignature judges the root's DNSKEY RRset in a response by the trust anchor root. Valid says that it is secure at the
// time now. If it is not, and a signature by a trusted key is right but for its time, life is that of the signature and
// misdated is true: the clock is wrong, or the response is one of another time.
func RootSignature(msg []byte, root *dnssec.Anchor, now int64) (life Lifetime, valid, misdated bool) {
	set, err := rootKeys(msg)
	if err != nil {
		return life, false, false
	}
	policy := dnssec.DefaultPolicy()
	secure := func(at int64) bool {
		budget := dnssec.DefaultBudget()
		v := dnssec.Validator{Policy: &policy, Now: at, Budget: &budget}
		return v.ValidateKeys(dname.Root(), set, root.DS, 0).Status == dnssec.Secure
	}
	if secure(now) {
		return life, true, false
	}
	for _, rdata := range set.Sigs[:min(len(set.Sigs), policy.MaxSignatures)] {
		sig, ok := dnssec.ParseRRSIG(rdata)
		if !ok || sig.Inception >= sig.Expiration {
			continue
		}
		life = Lifetime{int64(sig.Inception), int64(sig.Expiration)}
		if secure(life.From + (life.Until-life.From)/2) {
			return life, false, true
		}
	}
	return Lifetime{}, false, false
}
