package page

import (
	"context"
	"embed"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"heimdall/core/control"
)

// static is the page itself.
//
//go:embed static/index.html static/page.css static/page.js static/icon.svg
var static embed.FS

// What a browser may fetch, and how it is sent.
var files = map[string]struct{ name, kind string }{
	"/":         {"static/index.html", "text/html; charset=utf-8"},
	"/page.css": {"static/page.css", "text/css; charset=utf-8"},
	"/page.js":  {"static/page.js", "text/javascript; charset=utf-8"},
	"/icon.svg": {"static/icon.svg", "image/svg+xml"},
}

// policy is what a browser may do with the page: show it, and fetch what stands beside it. Nothing within the page is a
// script or a style, so what a stranger chose cannot become one.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ServeHTTP implements http.Handler.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if !local(r.Host) {
		// A name that a stranger lets lead to this machine would make the page one of the stranger's site.
		http.Error(w, "use an address of loopback, or localhost", http.StatusMisdirectedRequest)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "the page is read only", http.StatusMethodNotAllowed)
		return
	}
	if r.URL.Path == "/data.json" {
		p.serveData(w, r)
		return
	}
	f, ok := files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	data, err := static.ReadFile(f.name)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h.Set("Content-Type", f.kind)
	w.Write(data)
}

// local tells whether a Host header names this machine by an address of loopback, or as localhost (RFC 6761, section 6.3).
func local(host string) bool {
	if name, port, err := net.SplitHostPort(host); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return false
		}
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.Zone() == "" && a.Unmap().IsLoopback()
}

// Most of a list that are shown: more belong to heimdallctl.
const (
	maxServers = 100
	maxZones   = 200
)

// data is what the page fetches again and again.
type data struct {
	Now      int64        `json:"now"`      // seconds since 1970
	Interval float64      `json:"interval"` // seconds between two points
	History  *columns     `json:"history"`
	Shards   []shardRates `json:"shards"`
	TopOn    bool         `json:"topOn"`
	Names    []share      `json:"names"`
	Clients  []share      `json:"clients"`
	slowPart
}

// slowPart is what asks the shards, and is asked for once in a while, however many look.
type slowPart struct {
	Status    *control.Status         `json:"status"`
	Upstreams []control.UpstreamGroup `json:"upstreams"`
	Servers   int                     `json:"servers"` // how many there are
	Zones     []control.ZoneInfo      `json:"zones"`
	ZoneCount int                     `json:"zoneCount"`
	Kernel    *control.XDP            `json:"kernel"` // nil: it does not run
	Trouble   string                  `json:"trouble,omitempty"`
}

const (
	// slowAge is how old it may be.
	slowAge = 2 * time.Second
	// askTime is how long each question to the daemon may take: all four take less than a browser waits.
	askTime = 2 * time.Second
)

func (p *Page) serveData(w http.ResponseWriter, r *http.Request) {
	since, _ := strconv.ParseInt(r.URL.Query().Get("since"), 10, 64)
	slow := p.slowly()
	p.mu.Lock()
	d := data{
		Now: time.Now().Unix(), Interval: interval.Seconds(), History: p.past.after(since), Shards: p.shards, TopOn: p.o.Top(),
		Names: p.top.shares(p.top.names), Clients: p.top.shares(p.top.clients), slowPart: slow,
	}
	p.mu.Unlock()
	body, err := json.Marshal(d)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(body)
}

func (p *Page) slowly() slowPart {
	p.asking.Lock()
	defer p.asking.Unlock()
	if time.Since(p.asked) > slowAge {
		p.slow = p.ask(context.Background()) // not of a browser that may go away: others wait for it too
		p.asked = time.Now()
	}
	return p.slow
}

// ask asks the daemon. What does not answer in time is left out.
func (p *Page) ask(ctx context.Context) (s slowPart) {
	var err error
	if s.Status, err = within(ctx, p.o.Source.Status); err != nil {
		s.Trouble = err.Error()
	}
	if u, err := within(ctx, p.o.Source.Upstreams); err == nil {
		for _, g := range u.Groups {
			s.Servers += len(g.Servers)
			g.Servers = g.Servers[:min(len(g.Servers), maxServers)]
			if len(s.Upstreams) < maxServers {
				s.Upstreams = append(s.Upstreams, g)
			}
		}
	}
	if z, err := within(ctx, p.o.Source.Zones); err == nil {
		s.ZoneCount = len(z.Zones)
		s.Zones = z.Zones[:min(len(z.Zones), maxZones)]
	}
	if x, err := within(ctx, p.o.Source.XDP); err == nil && len(x.Interfaces) > 0 {
		x.Exits = nil
		s.Kernel = x
	}
	return s
}

// within asks one question, within its time.
func within[T any](ctx context.Context, question func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	return question(ctx)
}
