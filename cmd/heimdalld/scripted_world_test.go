package main

import (
	"bytes"
	"crypto"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// scriptedWorld is all servers that the daemon of a test asks, in one: that of the signed root, and below it
//
//	plain.        not signed; any name has an address
//	slow.         likewise, but one answer in four takes its time, so that whoever waits for one does so for long
//	silent.       not signed; never answered
//	signed.       signed, and so are z0.signed., z1.signed. and so on: a1, a2 ... have addresses there, n1, n2 ... do not exist
//	large.        not signed; 60,000 octets for each name, over TCP
//	key.          DNSKEY of the root, as a trust anchor
type scriptedWorld struct {
	addr    string
	packets *net.UDPConn
	private crypto.Signer
	public  *dns.DNSKEY
	sigs    sync.Map // of sets that are asked for often, by owner and type
	late    chan lateAnswer
}

// lateAnswer is one of slow.
type lateAnswer struct {
	raw []byte
	to  netip.AddrPort
	at  time.Time
}

// lateBy is how late: at first sooner than a resolver gives up that knows nothing of the server, then ever later, so that it
// learns to wait for more than a second.
func lateBy(since time.Duration) time.Duration {
	return min(350*time.Millisecond+since/10, 800*time.Millisecond)
}

func newScriptedWorld(t *testing.T) *scriptedWorld {
	w := &scriptedWorld{public: &dns.DNSKEY{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 3600}, Flags: 257, Protocol: 3, Algorithm: dns.ECDSAP256SHA256}}
	private, err := w.public.Generate(256)
	if err != nil {
		t.Fatal(err)
	}
	w.private = private.(crypto.Signer)
	packets, streams := listenBoth(t, "127.0.0.1")
	w.addr, w.packets = streams.Addr().String(), packets.(*net.UDPConn)
	w.packets.SetReadBuffer(8 << 20)
	w.packets.SetWriteBuffer(8 << 20)
	w.late = make(chan lateAnswer, 1<<16)
	for range 2 {
		go w.serve()
	}
	go func() {
		for a := range w.late {
			time.Sleep(time.Until(a.at))
			w.packets.WriteToUDPAddrPort(a.raw, a.to)
		}
	}()
	server := &dns.Server{Listener: streams, Handler: dns.HandlerFunc(func(to dns.ResponseWriter, q *dns.Msg) {
		if r := w.answer(q, true); r != nil {
			to.WriteMsg(r)
		}
	})}
	go server.ActivateAndServe()
	t.Cleanup(func() { server.Shutdown(); w.packets.Close() })
	return w
}

// serve answers datagrams; those for plain. without a look at more than the question, as there are many.
func (w *scriptedWorld) serve() {
	buf := make([]byte, 4096)
	var began time.Time // of slow.
	for {
		n, from, err := w.packets.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		q := buf[:n]
		end, zone := scriptedQuestion(q)
		switch {
		case end == 0 || zone == "\x06silent":
		case zone == "\x05plain" || zone == "\x04slow":
			r := append(q[:end:end], 0xC0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 192, 0, 2, 1)
			r[2], r[3] = 0x84, 0
			copy(r[4:12], []byte{0, 1, 0, 1, 0, 0, 0, 0})
			if zone == "\x04slow" && rand.IntN(4) == 0 {
				if began.IsZero() {
					began = time.Now()
				}
				select {
				case w.late <- lateAnswer{bytes.Clone(r), from, time.Now().Add(lateBy(time.Since(began)))}:
				default:
				}
				continue
			}
			w.packets.WriteToUDPAddrPort(r, from)
		default:
			m := new(dns.Msg)
			if m.Unpack(q) != nil {
				continue
			}
			if r := w.answer(m, false); r != nil {
				if raw, err := r.Pack(); err == nil {
					w.packets.WriteToUDPAddrPort(raw, from)
				}
			}
		}
	}
}

// scriptedQuestion returns where the question of a query ends, and which of the zones that are not signed it is for: that of an
// address, and not of the zone itself.
func scriptedQuestion(q []byte) (end int, zone string) {
	at, last := 12, 12
	for at < len(q) && q[at] != 0 {
		last = at
		at += 1 + int(q[at])
	}
	if at+5 > len(q) {
		return 0, ""
	}
	end = at + 5
	if zone = strings.ToLower(string(q[last:at])); last > 12 && (binary.BigEndian.Uint16(q[at+1:]) == dns.TypeA || zone == "\x06silent") {
		return end, zone
	}
	return end, ""
}

// answer is what the servers say.
func (w *scriptedWorld) answer(q *dns.Msg, stream bool) *dns.Msg {
	asked := q.Question[0]
	name := strings.ToLower(asked.Name)
	r := new(dns.Msg).SetReply(q)
	r.Authoritative, r.RecursionDesired = true, false
	if o := q.IsEdns0(); o != nil {
		r.SetEdns0(1232, true)
	}
	labels := dns.SplitDomainName(name)
	top := ""
	if len(labels) > 0 {
		top = labels[len(labels)-1]
	}
	header := func(owner string, typ uint16) dns.RR_Header {
		return dns.RR_Header{Name: owner, Rrtype: typ, Class: dns.ClassINET, Ttl: 3600}
	}
	zone, parent := ".", "."
	switch {
	case top == "signed" && len(labels) > 1:
		zone, parent = labels[len(labels)-2]+".signed.", "signed."
	case top == "signed":
		zone = "signed."
	case top != "" && len(labels) > 1:
		zone = top + "."
	}
	switch {
	case asked.Qtype == dns.TypeDNSKEY && name == zone && (top == "" || top == "signed"):
		key := dns.Copy(w.public).(*dns.DNSKEY)
		key.Hdr.Name = zone
		r.Answer = w.signed(zone, key)
	case asked.Qtype == dns.TypeDS && top == "signed" && name == zone:
		key := dns.Copy(w.public).(*dns.DNSKEY)
		key.Hdr.Name = zone
		ds := key.ToDS(dns.SHA256)
		ds.Hdr = header(zone, dns.TypeDS)
		r.Answer = w.signed(parent, ds)
	case (top == "plain" || top == "slow" || top == "silent" || top == "large") && (len(labels) == 1 || asked.Qtype == dns.TypeDS):
		// A delegation without a DS record, as the root's servers say.
		r.Ns = append(w.soa("."), w.signed(".", &dns.NSEC{Hdr: header(top+".", dns.TypeNSEC), NextDomain: top + "0.", TypeBitMap: []uint16{dns.TypeNS, dns.TypeRRSIG, dns.TypeNSEC}})...)
	case top == "large":
		if !stream {
			r.Truncated = true
			break
		}
		txt := &dns.TXT{Hdr: header(name, dns.TypeTXT)}
		for range 235 {
			txt.Txt = append(txt.Txt, strings.Repeat("x", 255))
		}
		r.Answer = append(r.Answer, txt)
	case top == "signed" && asked.Qtype == dns.TypeA && strings.HasPrefix(name, "a"):
		r.Answer = w.signed(zone, &dns.A{Hdr: header(name, dns.TypeA), A: net.IPv4(192, 0, 2, 2)})
	case top == "signed" && strings.HasPrefix(name, "n"):
		r.Rcode = dns.RcodeNameError
		label := labels[0]
		before := label[:len(label)-1] + string(label[len(label)-1]-1) + "zz."
		r.Ns = append(w.soa(zone), w.signed(zone, &dns.NSEC{Hdr: header(before+zone, dns.TypeNSEC), NextDomain: label + "0." + zone, TypeBitMap: []uint16{dns.TypeA, dns.TypeRRSIG, dns.TypeNSEC}})...)
		r.Ns = append(r.Ns, w.signed(zone, &dns.NSEC{Hdr: header(zone, dns.TypeNSEC), NextDomain: "a." + zone, TypeBitMap: []uint16{dns.TypeNS, dns.TypeSOA, dns.TypeRRSIG, dns.TypeNSEC, dns.TypeDNSKEY}})...)
	case top == "signed" || top == "":
		r.Ns = append(w.soa(zone), w.signed(zone, &dns.NSEC{Hdr: header(name, dns.TypeNSEC), NextDomain: "\\000." + strings.TrimPrefix(name, "."), TypeBitMap: []uint16{dns.TypeRRSIG, dns.TypeNSEC}})...)
	default:
		r.Rcode = dns.RcodeNameError
		r.Ns = append(w.soa("."), w.signed(".", &dns.NSEC{Hdr: header(".", dns.TypeNSEC), NextDomain: "key.", TypeBitMap: []uint16{dns.TypeNS, dns.TypeSOA, dns.TypeRRSIG, dns.TypeNSEC, dns.TypeDNSKEY}})...)
	}
	return r
}

func (w *scriptedWorld) soa(zone string) []dns.RR {
	return w.signed(zone, &dns.SOA{
		Hdr: dns.RR_Header{Name: zone, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 300}, Ns: "ns.", Mbox: "host.", Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400, Minttl: 300,
	})
}

// signed returns a record with its signature.
func (w *scriptedWorld) signed(zone string, rr dns.RR) []dns.RR {
	h := rr.Header()
	id := fmt.Sprint(h.Name, h.Rrtype)
	often := h.Name == "." || h.Name == "signed."
	if often {
		if sig, ok := w.sigs.Load(id); ok {
			return []dns.RR{rr, sig.(dns.RR)}
		}
	}
	sig := &dns.RRSIG{
		Hdr: dns.RR_Header{Name: h.Name, Rrtype: dns.TypeRRSIG, Class: dns.ClassINET, Ttl: h.Ttl}, Algorithm: w.public.Algorithm, KeyTag: w.public.KeyTag(), SignerName: zone,
		Inception: uint32(time.Now().Unix() - 86400), Expiration: uint32(time.Now().Unix() + 86400),
	}
	if err := sig.Sign(w.private, []dns.RR{rr}); err != nil {
		panic(err)
	}
	if often {
		w.sigs.Store(id, dns.RR(sig))
	}
	return []dns.RR{rr, sig}
}
