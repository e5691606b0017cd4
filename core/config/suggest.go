package config

import (
	"fmt"
	"strings"
)

// didYouMean returns "; did you mean ...?" for the candidate most like word, and nothing when none is.
func didYouMean(word string, candidates []string) string {
	best, least := "", 1+len(word)/3 // one slip in three letters
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d <= least && (best == "" || d < least) {
			best, least = c, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance counts the letters to insert, delete, replace or swap with their neighbour to make a into b: the
// optimal string alignment distance.
func distance(a, b string) int {
	before := make([]int, len(b)+1)
	above := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, above, row = above, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}

// suggestKey says what an unknown key in a section may have been meant to be: a key of that section, or the
// same key of another one.
func suggestKey(section, name string) string {
	var here []string
	for i := range keys {
		if s, n, _ := strings.Cut(keys[i].Name, "."); s == section {
			here = append(here, n)
		}
	}
	if hint := didYouMean(name, here); hint != "" {
		return hint
	}
	for i := range keys {
		if s, n, _ := strings.Cut(keys[i].Name, "."); n == name {
			return fmt.Sprintf("; there is one in [%s]", s)
		}
	}
	return ""
}

// suggestSection says where a key that stands outside of all tables belongs.
func suggestSection(name string) string {
	for i := range keys {
		if s, n, _ := strings.Cut(keys[i].Name, "."); n == name {
			return fmt.Sprintf("; a key of this name belongs below the line [%s]", s)
		}
	}
	return ""
}
