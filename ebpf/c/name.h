// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Hashing of names, eight octets a step. hash.go does the same, and says why nobody finds names that collide.
#ifndef HEIMDALL_NAME_H
#define HEIMDALL_NAME_H

// lower8 puts ASCII letters among eight octets in lower case. The length octets of a name are below 'A'.
static __always_inline __u64 lower8(__u64 w)
{
	__u64 low = w & 0x7f7f7f7f7f7f7f7f;
	__u64 upper = (low + 0x3f3f3f3f3f3f3f3f) & ~(low + 0x2525252525252525) & ~w & 0x8080808080808080;

	return w | upper >> 2;
}

// term is what a word adds to a sum, of which the upper half counts.
static __always_inline __u64 term(const volatile __u64 *keys, __u64 word)
{
	return (keys[0] + (__u32)word) * (keys[1] + (word >> 32));
}

// The word that ends a name: of the last eight octets those that no whole word has covered, padded with zeros.
static __always_inline __u64 last_word(__u64 last8, __u32 length)
{
	return lower8(last8) >> (64 - 8 * (length & 7));
}

#endif
