package dnssec

import "filippo.io/nistec"

// A comb multiplies one point by many scalars (Lim and Lee, CRYPTO '94): it has the sums that a scalar may need,
// so that 16 doublings and 32 additions are left of 256 and 52. It takes 48 KiB and about as long as ten
// multiplications to make. It does not change, and is safe for concurrent use.
type comb struct {
	// sums[b][i] is the sum of the point times 2^(32t + 16b) over all bits t of i.
	sums [combRows][1 << combTeeth]nistec.P256Point
}

const (
	combTeeth = 8                   // bits of the scalar that are looked up at once
	combRows  = 2                   // lookups between two doublings
	combStep  = 8 * 32 / combTeeth  // bits from one tooth to the next
	combWidth = combStep / combRows // doublings of a multiplication
)

func newComb(point *nistec.P256Point) *comb {
	c := new(comb)
	p := nistec.NewP256Point().Set(point)
	for tooth := range combTeeth {
		for row := range combRows {
			c.sums[row][1<<tooth].Set(p)
			for range combWidth {
				p.Double(p)
			}
		}
	}
	for row := range c.sums {
		sums := &c.sums[row]
		sums[0].Set(nistec.NewP256Point())
		for i := 1; i < len(sums); i++ {
			low := i & -i
			if rest := i - low; rest != 0 {
				sums[i].Add(&sums[rest], &sums[low])
			}
		}
	}
	return c
}

// multiply sets out to the point times scalar, which is big-endian.
func (c *comb) multiply(out *nistec.P256Point, scalar *[p256Size]byte) {
	bit := func(i int) int { return int(scalar[p256Size-1-i/8]>>(i%8)) & 1 }
	out.Set(nistec.NewP256Point())
	for column := combWidth - 1; column >= 0; column-- {
		out.Double(out)
		for row := range c.sums {
			i := 0
			for tooth := range combTeeth {
				i |= bit(tooth*combStep+row*combWidth+column) << tooth
			}
			if i != 0 {
				out.Add(out, &c.sums[row][i])
			}
		}
	}
}
