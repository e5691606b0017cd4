package settings

import (
	"time"

	"heimdall/core/config"
	"heimdall/shard/anchors"
	"heimdall/shard/seed"
	"heimdall/shard/verify"
)

// Verify is what the threads that check signatures take.
func Verify(c *config.Config) verify.Options {
	return verify.Options{
		Seed: seed.Uint64(), IPv4Bits: c.Resolver.ClientIPv4Prefix, IPv6Bits: c.Resolver.ClientIPv6Prefix, Wall: WallClock(c),
	}
}

// WallClock returns what tells by when signatures are valid, in seconds since 1970.
func WallClock(c *config.Config) func() int64 {
	if at := c.Recursion.ValidationTime; !at.IsZero() {
		return at.Unix
	}
	return func() int64 { return time.Now().Unix() }
}

// ClockRemedy says what to do where that clock is wrong.
func ClockRemedy(c *config.Config) string {
	if !c.Recursion.ValidationTime.IsZero() {
		return "remove recursion.validation_time, and restart"
	}
	return "set it (`timedatectl set-ntp true`, or `date -s`); names are then resolved without a restart"
}

// Anchors reads the trust anchors.
func Anchors(c *config.Config) (anchors.Given, error) {
	r := &c.Recursion
	if !r.Validation {
		return anchors.Given{}, nil
	}
	given, err := anchors.Load(r.TrustAnchors, r.NegativeTrustAnchors)
	if err != nil {
		return given, c.Problem("recursion.trust_anchors", "%v", err)
	}
	given.State = r.TrustAnchorState
	return given, nil
}
