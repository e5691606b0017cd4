package config

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestParseCPUs(t *testing.T) {
	for text, want := range map[string][]int{
		"0": {0}, "0-3,8": {0, 1, 2, 3, 8}, "8,0-1": {0, 1, 8}, "5-5": {5}, " 1 , 3": {1, 3}, "8191": {8191},
	} {
		if got, err := ParseCPUs(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", ",", "0,", "a", "1-", "-1", "3-1", "0,0", "0-3,2", "8192", "0-99999999999", "1-2-3", "+1", "0x1", "0-3:2", "1 - 2"} {
		if got, err := ParseCPUs(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// FuzzParseCPUs: a list holds what counting through its parts gives, and comes back from its text.
func FuzzParseCPUs(f *testing.F) {
	for _, s := range []string{"0-3,8", "1", "8191", "3,2,1", "0-8191", "1,1", "5-2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseCPUs(s)
		if err != nil {
			return
		}
		var want []int
		for _, part := range strings.Split(s, ",") {
			part = strings.TrimSpace(part)
			first, err := strconv.Atoi(strings.Split(part, "-")[0])
			last, err2 := strconv.Atoi(part[strings.LastIndex(part, "-")+1:])
			if err != nil || err2 != nil {
				t.Fatalf("%q: taken", s)
			}
			for n := first; n <= last; n++ {
				want = append(want, n)
			}
		}
		slices.Sort(want)
		if !slices.Equal(got, want) || len(got) == 0 {
			t.Fatalf("%q: %v, want %v", s, got, want)
		}
		if back, err := ParseCPUs(FormatCPUs(got)); err != nil || !slices.Equal(back, got) {
			t.Fatalf("%q: %v comes back from %q as %v, %v", s, got, FormatCPUs(got), back, err)
		}
	})
}
