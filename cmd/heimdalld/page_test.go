package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/miekg/dns"
)

// withPage starts a daemon with the page, and returns its address.
func withPage(t *testing.T, admin, rest string) (d *daemon, addr string) {
	t.Helper()
	d = startWith(t, func(port string) string {
		addr = freePort(t)
		return fmt.Sprintf("[server]\nlisten = [\"127.0.0.1:%s\"]\n[cpu]\nshards = 2\npin = false\n[recursion]\nvalidation = false\n%s\n[admin]\nweb = %q\n%s", port, rest, addr, admin)
	})
	return d, addr
}

// hostileNames are names that would be markup, code or commands, if anything took them for that.
var hostileNames = []string{
	`<script>alert(1)</script>.example.`, `<img\032src=x\032onerror=alert(2)>.example.`, `"\'\032onmouseover=alert(3)\032x=".example.`,
	`\000\008\027\[2J\127\255.example.`, `{{alert(4)}}${alert(5)}.example.`, `</title></style></table>.example.`,
}

// rawQuestion is a question for a name with any octets.
func rawQuestion(t *testing.T, name string) []byte {
	t.Helper()
	q := new(dns.Msg)
	q.SetQuestion(name, dns.TypeA)
	msg, err := q.Pack()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return msg
}

// In a browser, the page shows what happens, and names that strangers ask for as text, whatever they look like. Nothing of
// it runs, nothing is fetched from elsewhere, and nothing is kept.
func TestPageInABrowser(t *testing.T) {
	t.Parallel()
	browser := ""
	for _, name := range []string{"chromium-headless-shell", "chromium"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		t.Fatal("there is no chromium (make setup installs it)")
	}
	up := newUpstream(t, nil)
	d, addr := withPage(t, "web_top = true\n", forward(".", up)+"[[zone]]\nname = \"broken.test.\"\nfile = \"<b>missing.zone\"\n")

	// The command of Debian is a script: who ends that alone leaves the browser behind.
	var command *exec.Cmd
	defer func() {
		if command != nil && command.Process != nil {
			syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
		}
	}()
	group := chromedp.ModifyCmdFunc(func(c *exec.Cmd) {
		command = c
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	})
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox, group)
	alloc, stop := chromedp.NewExecAllocator(t.Context(), options...)
	defer stop()
	tab, end := chromedp.NewContext(alloc)
	defer end()
	tab, cancel := context.WithTimeout(tab, 4*patience)
	defer cancel()
	var faults syncBuffer
	chromedp.ListenTarget(tab, func(ev any) {
		switch ev := ev.(type) {
		case *runtime.EventExceptionThrown:
			fmt.Fprintln(&faults, "exception:", ev.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled: // what the content policy refuses is told here or in the log
			fmt.Fprintln(&faults, "console:", ev.Type)
		}
	})
	// A dialogue, or a request to elsewhere, would be seen.
	watch := `window.alert = () => { document.body.dataset.alerted = "1"; };
		addEventListener("securitypolicyviolation", (e) => { document.documentElement.dataset.violation = e.violatedDirective + " " + e.blockedURI; });`
	run := func(actions ...chromedp.Action) {
		t.Helper()
		if err := chromedp.Run(tab, actions...); err != nil {
			t.Fatalf("%v\n%s", err, faults.String())
		}
	}
	run(chromedp.Navigate("http://"+addr+"/"), chromedp.Evaluate(watch, nil))

	shown, round := "", 0
	defer func() {
		if t.Failed() {
			t.Logf("the page:\n%s\n%s", shown, faults.String())
		}
	}()
	until(t, "the page to show the names", func() bool {
		// Of queries in quick succession, the first is noted.
		raw(t, d.addr, rawQuestion(t, hostileNames[round%len(hostileNames)]))
		round++
		stillRight(t, d, "www.example.")
		run(chromedp.Evaluate(`document.body.innerText`, &shown))
		return strings.Contains(shown, `<script>alert\(1\)</script>.example.`) && strings.Contains(shown, `</title></style></table>.example.`) && strings.Contains(shown, "127.0.0.1")
	})
	for _, want := range []string{"Queries", "Hit ratio", "broken.test.", "failed", "was not loaded", "<b>missing.zone", "NOERROR", up.Addr.String()} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not on the page:\n%s", want, shown)
		}
	}
	var state struct {
		Alerted, Violation, Error, Cookie string
		Scripts, Bold, Images             int
		Lines                             int
		Elsewhere                         []string
	}
	run(chromedp.Poll(`document.querySelectorAll(".chart path.line").length > 2`, nil), chromedp.Evaluate(`({
		alerted: document.body.dataset.alerted || "", violation: document.documentElement.dataset.violation || "", error: document.body.dataset.error || "", cookie: document.cookie,
		scripts: document.scripts.length, bold: [...document.querySelectorAll("b")].filter((b) => b.textContent).length, images: document.images.length,
		lines: document.querySelectorAll(".chart path.line").length,
		elsewhere: performance.getEntriesByType("resource").map((r) => r.name).filter((n) => !n.startsWith(location.origin + "/")),
	})`, &state))
	if state.Alerted+state.Violation+state.Error+state.Cookie != "" || state.Scripts != 1 || state.Bold != 0 || state.Images != 1 || len(state.Elsewhere) > 0 {
		t.Errorf("%+v", state)
	}
	if text := faults.String(); text != "" {
		t.Error(text)
	}
	// On a phone nothing is wider than the screen.
	wide := 0
	run(chromedp.EmulateViewport(360, 740), chromedp.Evaluate(`document.documentElement.scrollWidth`, &wide))
	if wide > 360 {
		t.Errorf("the page is %d pixels wide on a screen of 360", wide)
	}
}

// The page is read only, is given to those alone who ask for this machine, and says to browsers what it may do.
func TestPageRequests(t *testing.T) {
	t.Parallel()
	up := newUpstream(t, nil)
	d, addr := withPage(t, "", forward(".", up))
	_, port, _ := net.SplitHostPort(addr)
	ask := func(method, path, host string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequest(method, "http://"+addr+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
		r, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		for _, header := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Cross-Origin-Resource-Policy", "Cache-Control"} {
			if r.Header.Get(header) == "" {
				t.Errorf("%s %s of %s: no %s", method, path, host, header)
			}
		}
		if policy := r.Header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") || !strings.HasPrefix(policy, "default-src 'none'") {
			t.Errorf("policy %q", policy)
		}
		if r.Header.Get("Set-Cookie")+r.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%v", r.Header)
		}
		return r, string(body)
	}
	for _, tt := range []struct {
		method, path, host string
		want               int
	}{
		{"GET", "/", addr, 200}, {"HEAD", "/", addr, 200}, {"GET", "/page.js", "localhost:" + port, 200}, {"GET", "/page.css", "[::1]:" + port, 200},
		{"GET", "/icon.svg", "LOCALHOST", 200}, {"GET", "/data.json", "127.1.2.3", 200}, {"GET", "/data.json?since=nonsense", addr, 200},
		{"GET", "/", "evil.example", 421}, {"GET", "/data.json", "evil.example:" + port, 421}, {"GET", "/data.json", "127.0.0.1.evil.example", 421},
		{"GET", "/data.json", "192.0.2.1", 421}, {"GET", "/", "localhost.evil.example", 421},
		{"POST", "/", addr, 405}, {"DELETE", "/data.json", addr, 405}, {"PUT", "/x", addr, 405},
		{"GET", "/static/page.js", addr, 404}, {"GET", "/../../etc/passwd", addr, 404}, {"GET", "/metrics", addr, 404},
	} {
		if r, body := ask(tt.method, tt.path, tt.host); r.StatusCode != tt.want || tt.want != 200 && strings.Contains(body, "uptime") {
			t.Errorf("%s %s of %s: %s", tt.method, tt.path, tt.host, r.Status)
		}
	}
	// Who asks is told only if the configuration says so.
	d.ask("secret.example.", dns.TypeA)
	var data struct {
		Shards []struct{ State string }
		TopOn  bool
	}
	until(t, "the first rates", func() bool {
		_, body := ask("GET", "/data.json", addr)
		if err := json.Unmarshal([]byte(body), &data); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		if data.TopOn || strings.Contains(body, "secret.example") {
			t.Fatalf("the page tells who asks: %s", body)
		}
		return len(data.Shards) == 2
	})
	// Whoever holds connections open, or sends nonsense, hurts nobody.
	for range 100 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Write([]byte("GET / nonsense\x00\xff"))
	}
	stillRight(t, d, "www.example.")
	if out, code := d.ctl("status"); code != 0 {
		t.Error(out)
	}
}
