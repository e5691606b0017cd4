package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// Names resolve through forwarders that do what forwarders should not.
func TestOddUpstreams(t *testing.T) {
	t.Parallel()
	isMixed := func(q *dns.Msg) bool { return q.Question[0].Name != strings.ToLower(q.Question[0].Name) }
	for name, handler := range map[string]func(w dns.ResponseWriter, q *dns.Msg){
		"drops mixed letter case": func(w dns.ResponseWriter, q *dns.Msg) {
			if !isMixed(q) {
				answerA(w, q)
			}
		},
		"refuses mixed letter case": func(w dns.ResponseWriter, q *dns.Msg) {
			if isMixed(q) {
				w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeRefused))
				return
			}
			answerA(w, q)
		},
		"answers in lower case and is silent over TCP": func(w dns.ResponseWriter, q *dns.Msg) {
			if q.Question[0].Name = strings.ToLower(q.Question[0].Name); !overTCP(w) {
				answerA(w, q)
			}
		},
		"gives the cookies of others": func(w dns.ResponseWriter, q *dns.Msg) {
			r := right(q)
			if o := q.IsEdns0(); o != nil {
				r.SetEdns0(1232, false)
				if len(o.Option) > 0 {
					r.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "00112233445566778899aabbccddeeff"}}
				}
			}
			w.WriteMsg(r)
		},
		"sends more than was asked for": func(w dns.ResponseWriter, q *dns.Msg) {
			r := right(q)
			if !overTCP(w) {
				for range 30 {
					r.Extra = append(r.Extra, record("%s 60 IN TXT %s", q.Question[0].Name, strings.Repeat("x", 250)))
				}
			}
			w.WriteMsg(r)
		},
		"truncates the question too": func(w dns.ResponseWriter, q *dns.Msg) {
			if overTCP(w) {
				answerA(w, q)
				return
			}
			octets(func(b []byte) []byte { b[2], b[5], b[7] = b[2]|0x02, 0, 0; return b[:12] })(w, q)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := start(t, "[resolver]\ntimeout = \"20s\"\n"+forward(".", newUpstream(t, handler)))
			for i := range 4 {
				stillRight(t, d, fmt.Sprintf("a-name-with-many-letters-%d.example.", i))
			}
		})
	}
}

func TestCookiesOff(t *testing.T) {
	t.Parallel()
	for _, cookies := range []bool{true, false} {
		sent := make(chan bool, 16)
		up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
			o := q.IsEdns0()
			sent <- o != nil && len(o.Option) > 0
			answerA(w, q)
		})
		d := start(t, fmt.Sprintf("[resolver]\ncookies = %v\n", cookies)+forward(".", up))
		d.ask("www.example.", dns.TypeA)
		if got := <-sent; got != cookies {
			t.Errorf("cookies = %v: sent %v", cookies, got)
		}
	}
}
