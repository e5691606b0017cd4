package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestZipf compares drawn frequencies with the law, within five standard
// deviations.
func TestZipf(t *testing.T) {
	const n, draws = 1000, 1_000_000
	for _, s := range []float64{0, 0.9, 1, 1.1} {
		z := &zipf{newZipfTable(n, s), rand.New(rand.NewPCG(1, uint64(s*10)))}
		var got [n]float64
		for range draws {
			key, ok := z.next()
			if !ok {
				t.Fatal("the law ran dry")
			}
			got[key]++
		}
		sum := 0.0
		for i := range n {
			sum += math.Pow(float64(i+1), -s)
		}
		for _, i := range []int{0, 1, 2, 9, 99, 500, 999} {
			want := draws * math.Pow(float64(i+1), -s) / sum
			if diff := math.Abs(got[i] - want); diff > 5*math.Sqrt(want) {
				t.Errorf("s = %v: key %d was drawn %v times, want %.0f", s, i, got[i], want)
			}
		}
	}
	if key := newZipfTable(1, 1).pick(math.MaxUint64); key != 0 {
		t.Errorf("the only key is %d", key)
	}
}

func TestUniform(t *testing.T) {
	u := &uniform{n: 10, rng: rand.New(rand.NewPCG(1, 2))}
	var got [10]int
	for range 100000 {
		key, _ := u.next()
		got[key]++
	}
	if slices.Min(got[:]) < 9500 || slices.Max(got[:]) > 10500 {
		t.Errorf("counts %v", got)
	}
}

// TestOnce: every key one time, and those given back again.
func TestOnce(t *testing.T) {
	o := &once{first: 5, end: 8}
	var got []uint64
	for key, ok := o.next(); ok; key, ok = o.next() {
		if got = append(got, key); len(got) == 2 {
			o.again(5)
		}
	}
	if want := []uint64{5, 6, 7, 5}; !slices.Equal(got, want) {
		t.Errorf("drew %v, want %v", got, want)
	}
}
