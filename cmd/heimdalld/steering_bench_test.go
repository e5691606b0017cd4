package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"sort"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"heimdall/core/dname"
	"heimdall/core/wire"
)

// BenchmarkSteering asks two shards with caches that are too small for all names, in the proportions of 1/rank, and
// reports counts: queries to the upstream and hits for each query, and the busiest shard's share of the queries. Of
// "mixed", one query in ten comes over TCP, which is not steered by name.
//
//	go test -run '^$' -bench Steering -benchtime 1x -count 3 ./cmd/heimdalld
func BenchmarkSteering(b *testing.B) {
	for _, c := range []struct {
		name, steer string
		tcp         int // of 32 clients
	}{{"flow", "flow", 0}, {"name", "name", 0}, {"flow, mixed", "flow", 3}, {"name, mixed", "name", 3}, {"name, TCP only", "name", 32}} {
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				steeringRun(b, c.steer, c.tcp)
			}
		})
	}
}

const (
	steeringNames   = 50_000
	steeringClients = 32
	steeringQueries = 4000 // of each client, in each of two rounds: the first one fills the caches
)

func steeringRun(b *testing.B, steer string, tcp int) {
	up := newUpstream(b, nil)
	d := start(b, fmt.Sprintf("[cpu]\nshards = 2\npin = false\n[cache]\nmemory = \"1MiB\"\nprefetch = 0\n[xdp]\nsteer = %q\n%s", steer, forward(".", up)))
	draw := zipf(steeringNames)
	round := func(seed uint64) {
		var all sync.WaitGroup
		for client := range steeringClients {
			all.Go(func() {
				network := "udp"
				if client < tcp {
					network = "tcp"
				}
				if err := askZipf(network, d.addr, rand.New(rand.NewPCG(seed, uint64(client))), draw); err != nil {
					b.Errorf("client %d: %v", client, err)
				}
			})
		}
		all.Wait()
	}
	count := func() (asked, hits, queries int, shards []int) {
		var s struct{ Shards []struct{ Queries, Hits int } }
		d.ctlJSON(&s, "shards")
		for _, sh := range s.Shards {
			queries += sh.Queries
			hits += sh.Hits
			shards = append(shards, sh.Queries)
		}
		return up.Count(""), hits, queries, shards
	}
	round(1)
	asked, hits, queries, before := count()
	round(2)
	asked2, hits2, queries2, after := count()
	busiest := 0
	for i := range after {
		busiest = max(busiest, after[i]-before[i])
	}
	n := float64(queries2 - queries)
	b.ReportMetric(float64(asked2-asked)/n, "upstream/query")
	b.ReportMetric(float64(hits2-hits)/n, "hits/query")
	b.ReportMetric(float64(busiest)/n, "busiest/query")
	b.ReportMetric(0, "ns/op")
}

// zipf returns a function that draws ranks below n in the proportions of 1/(rank+1).
func zipf(n int) func(*rand.Rand) int {
	sums := make([]float64, n)
	sum := 0.0
	for i := range sums {
		sum += 1 / float64(i+1)
		sums[i] = sum
	}
	return func(rnd *rand.Rand) int { return sort.SearchFloat64s(sums, rnd.Float64()*sum) }
}

// askZipf has one client ask, one query after the other, and checks that each gets its answer.
func askZipf(network, addr string, rnd *rand.Rand, draw func(*rand.Rand) int) error {
	c, err := net.Dial(network, addr)
	if err != nil {
		return err
	}
	defer c.Close()
	conn := &dns.Conn{Conn: c}
	buf := make([]byte, 512)
	for id := range uint16(steeringQueries) {
		name, err := dname.ParseText(nil, fmt.Sprintf("host%d.bench.example.", draw(rnd)))
		if err != nil {
			return err
		}
		q := wire.AppendQuery(buf[:0], id, wire.FlagRD, name, wire.TypeA, wire.ClassIN)
		c.SetDeadline(time.Now().Add(patience))
		if _, err := conn.Write(q); err != nil {
			return err
		}
		n, err := conn.Read(buf)
		if err != nil {
			return fmt.Errorf("query %d is not answered: %w", id, err)
		}
		if n < wire.HeaderLen || binary.BigEndian.Uint16(buf) != id || wire.Count(buf[:n], wire.Answer) != 1 {
			return fmt.Errorf("a wrong answer to query %d: %x", id, buf[:n])
		}
	}
	return nil
}
