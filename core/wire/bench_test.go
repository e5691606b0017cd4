package wire

import (
	"testing"

	"heimdall/core/dname"
)

func mustName(tb testing.TB, s string) dname.Name {
	tb.Helper()
	n, err := dname.ParseText(nil, s)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// benchQueries are what clients send: without EDNS, with it, and with the cookie that dig adds.
func benchQueries(tb testing.TB) map[string][]byte {
	plain := AppendQuery(nil, 1, FlagRD, mustName(tb, "cdn-7.assets.example.com"), TypeA, ClassIN)
	edns := AppendOPT(append([]byte{}, plain...), OPT{UDPSize: 1232, DO: true})
	cookie := AppendOption(append([]byte{}, edns...), OptionCookie, []byte("01234567"))
	return map[string][]byte{"plain": plain, "edns": edns, "cookie": cookie}
}

func BenchmarkQueryParse(b *testing.B) {
	for name, msg := range benchQueries(b) {
		b.Run(name, func(b *testing.B) {
			var q Query
			for b.Loop() {
				if q.Parse(msg) != QueryOK {
					b.Fatal("not ok")
				}
			}
		})
	}
}

func BenchmarkAppendError(b *testing.B) {
	var q Query
	q.Parse(benchQueries(b)["edns"])
	buf := make([]byte, 0, 512)
	for b.Loop() {
		buf = AppendOPT(AppendError(buf[:0], &q, RcodeRefused, FlagRA), OPT{UDPSize: 1232})
	}
}
