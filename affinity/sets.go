package affinity

import "slices"

// contains reports whether an ascending list holds n.
func contains(list []int, n int) bool {
	_, found := slices.BinarySearch(list, n)
	return found
}

// intersect returns what both lists hold, in the order of a.
func intersect(a, b []int) []int {
	return slices.DeleteFunc(slices.Clone(a), func(n int) bool { return !contains(b, n) })
}

// subtract returns what a holds and b does not, in the order of a.
func subtract(a, b []int) []int {
	return slices.DeleteFunc(slices.Clone(a), func(n int) bool { return contains(b, n) })
}
