package cpulist

import (
	"slices"
	"testing"
)

func TestParse(t *testing.T) {
	for s, want := range map[string][]int{
		"":             nil,
		" \n":          nil,
		"0":            {0},
		"0-3,8":        {0, 1, 2, 3, 8},
		"8,0-3\n":      {0, 1, 2, 3, 8},
		" 1 , 5 - 6":   {1, 5, 6},
		"4-4":          {4},
		"0,2,4":        {0, 2, 4},
		"8190-8191,07": {7, 8190, 8191},
	} {
		if got, err := Parse(s); err != nil || !slices.Equal(got, want) {
			t.Errorf("Parse(%q) = %v, %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"a", "1,", ",1", "-1", "1-", "-", "3-1", "1,1", "0-3,2", "0-8191,5", "8192", "0-99999999999999999999", "+1", "1--2", "0x1"} {
		if got, err := Parse(s); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", s, got)
		}
	}
}

func TestFormat(t *testing.T) {
	for want, list := range map[string][]int{
		"":            nil,
		"0":           {0},
		"0-3,8":       {0, 1, 2, 3, 8},
		"0-1,3,5-6":   {0, 1, 3, 5, 6},
		"2,4,6":       {2, 4, 6},
		"10-11,13,15": {10, 11, 13, 15},
	} {
		if got := Format(list); got != want {
			t.Errorf("Format(%v) = %q, want %q", list, got, want)
		}
	}
}

// What can be parsed is ascending, free of repetition and bounded, and survives
// being written and parsed again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "0-3,8", "8191", "1,1", "0-8191,0-8191", "3-1", " 2 , 4-5\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list, err := Parse(s)
		if err != nil {
			return
		}
		for i, n := range list {
			if n < 0 || n >= End || i > 0 && n <= list[i-1] {
				t.Fatalf("Parse(%q) = %v", s, list)
			}
		}
		if again, err := Parse(Format(list)); err != nil || !slices.Equal(again, list) {
			t.Fatalf("%q: %v is written %q and read as %v, %v", s, list, Format(list), again, err)
		}
	})
}
