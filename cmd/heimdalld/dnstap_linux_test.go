package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	dnstap "github.com/dnstap/golang-dnstap"
	framestream "github.com/farsightsec/golang-framestream"
	"github.com/miekg/dns"
	"google.golang.org/protobuf/proto"
)

const dnstapType = "protobuf:dnstap.Dnstap"

// capture is Debian's fstrm_capture, which writes what comes to a socket into a file.
type capture struct {
	t    *testing.T
	cmd  *exec.Cmd
	file string
	log  *syncBuffer
}

func startCapture(t *testing.T, args ...string) *capture {
	t.Helper()
	tool, err := exec.LookPath("fstrm_capture")
	if err != nil {
		t.Fatalf("%v (make setup installs it)", err)
	}
	c := &capture{t: t, file: filepath.Join(t.TempDir(), "captured"), log: new(syncBuffer)}
	c.cmd = exec.Command(tool, append([]string{"-t", dnstapType, "-w", c.file}, args...)...)
	c.cmd.Stdout, c.cmd.Stderr = c.log, c.log
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.cmd.Process.Kill() })
	until(t, "fstrm_capture", func() bool { return strings.Contains(c.log.String(), "opened output file") })
	return c
}

// end ends it and returns what it has.
func (c *capture) end() []*dnstap.Dnstap {
	c.t.Helper()
	c.cmd.Process.Signal(syscall.SIGTERM)
	c.cmd.Wait()
	return framesOf(c.t, c.file)
}

// framesOf decodes a file of Frame Streams with the published schema.
func framesOf(t *testing.T, path string) (list []*dnstap.Dnstap) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := framestream.NewReader(f, &framestream.ReaderOptions{ContentTypes: [][]byte{[]byte(dnstapType)}})
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	buf := make([]byte, 1<<18)
	for {
		n, err := r.ReadFrame(buf)
		if err != nil {
			if err.Error() != "EOF" {
				t.Errorf("%s ends with %v", path, err)
			}
			return list
		}
		list = append(list, undump(t, buf[:n]))
	}
}

func undump(t *testing.T, frame []byte) *dnstap.Dnstap {
	t.Helper()
	d := new(dnstap.Dnstap)
	if err := proto.Unmarshal(frame, d); err != nil {
		t.Fatal(err)
	}
	return d
}

// recording is what status tells of the query log and dnstap.
type recording struct {
	Totals struct {
		Recorded   uint64
		Unrecorded map[string]uint64
	}
	Records struct {
		QueryLog recordingOutput `json:"query_log"`
		Dnstap   recordingOutput
	}
}

type recordingOutput struct {
	To                       string
	Broken                   bool
	Written, Failed, Limited uint64
}

func (d *daemon) recording() (r recording) {
	d.t.Helper()
	d.ctlJSON(&r, "status")
	return r
}

// authoritativeUpstream answers anything with an address, with AA.
func authoritativeUpstream(w dns.ResponseWriter, q *dns.Msg) {
	r := right(q)
	r.Authoritative = !q.RecursionDesired
	w.WriteMsg(r)
}

// Each type of message that the daemon has comes to a reader of another make, over a Unix socket and over TCP, and says what
// was asked by whom and where, and when.
func TestDnstapIsReadByOthers(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			output, args := "unix:"+filepath.Join(t.TempDir(), "s"), []string(nil)
			if args = []string{"-u", output[5:]}; network == "tcp" {
				addr := freePort(t)
				host, port, _ := net.SplitHostPort(addr)
				output, args = "tcp:"+addr, []string{"-a", host, "-p", port}
			}
			c := startCapture(t, args...)
			forwarder, authority := newUpstream(t, authoritativeUpstream), newUpstream(t, authoritativeUpstream)
			d := start(t, forward(".", forwarder)+zoneFile(t, "own.example.", "@ 3600 SOA a b 1 2 3 4 5\n@ 3600 NS a\na 3600 A 192.0.2.7\n")+
				fmt.Sprintf("\n[[stub]]\nzone = \"stub.example.\"\nservers = [%q]\n[dnstap]\noutput = %q\nidentity = \"me\"\n", authority.Addr, output))
			before := time.Now()
			d.ask("a.own.example.", dns.TypeA)
			d.exchange(question("www.example.", dns.TypeA), "tcp")
			d.ask("www.example.", dns.TypeA)
			d.ask("www.stub.example.", dns.TypeA)
			until(t, "all to be written", func() bool { return d.recording().Records.Dnstap.Written >= 12 })
			if code := d.stop(syscall.SIGTERM); code != 0 {
				t.Errorf("exit code %d", code)
			}
			counts := map[string]int{}
			for _, frame := range c.end() {
				m := frame.GetMessage()
				counts[checkMessage(t, m, before, d, forwarder, authority)]++
				if string(frame.GetIdentity()) != "me" || string(frame.GetVersion()) != "Heimdall" {
					t.Errorf("from %q of version %q", frame.GetIdentity(), frame.GetVersion())
				}
			}
			for what, n := range map[string]int{
				"AUTH_QUERY UDP a.own.example.": 1, "AUTH_RESPONSE UDP a.own.example.": 1,
				"CLIENT_QUERY TCP www.example.": 1, "CLIENT_RESPONSE TCP www.example.": 1, "CLIENT_QUERY UDP www.example.": 1, "CLIENT_RESPONSE UDP www.example.": 1,
				"FORWARDER_QUERY UDP www.example. of .": 1, "FORWARDER_RESPONSE UDP www.example. of .": 1,
				"CLIENT_QUERY UDP www.stub.example.": 1, "CLIENT_RESPONSE UDP www.stub.example.": 1,
				"RESOLVER_QUERY UDP www.stub.example. of stub.example.": 1, "RESOLVER_RESPONSE UDP www.stub.example. of stub.example.": 1,
			} {
				if counts[what] != n {
					t.Errorf("%d messages %s, want %d", counts[what], what, n)
				}
			}
			if t.Failed() {
				t.Log(counts)
			}
		})
	}
}

// checkMessage checks a message and returns its type, transport and name, and the zone if it has one.
func checkMessage(t *testing.T, m *dnstap.Message, before time.Time, d *daemon, forwarder, authority *upstream) string {
	t.Helper()
	typ := m.GetType().String()
	query := strings.HasSuffix(typ, "_QUERY")
	raw, other := m.GetQueryMessage(), m.GetResponseMessage()
	if !query {
		raw, other = other, raw
	}
	msg := new(dns.Msg)
	if err := msg.Unpack(raw); err != nil || len(msg.Question) != 1 || msg.Response == query || len(other) > 0 {
		t.Errorf("%s with % x and % x: %v", typ, raw, other, err)
		return typ
	}
	at := func(sec uint64, nsec uint32) time.Time { return time.Unix(int64(sec), int64(nsec)) }
	asked := at(m.GetQueryTimeSec(), m.GetQueryTimeNsec())
	if now := time.Now(); asked.Before(before.Add(-time.Minute)) || asked.After(now) {
		t.Errorf("%s asked at %v", typ, asked)
	}
	if answered := at(m.GetResponseTimeSec(), m.GetResponseTimeNsec()); query != (m.GetResponseTimeSec() == 0) || !query && answered.Before(asked) {
		t.Errorf("%s asked at %v, answered at %v", typ, asked, answered)
	}
	from, to := net.IP(m.GetQueryAddress()), net.IP(m.GetResponseAddress())
	address := fmt.Sprintf("%v:%d", to, m.GetResponsePort())
	want := d.addr
	switch {
	case strings.HasPrefix(typ, "FORWARDER"):
		want = forwarder.Addr.String()
	case strings.HasPrefix(typ, "RESOLVER"):
		want = authority.Addr.String()
	}
	if address != want || m.GetSocketFamily() != dnstap.SocketFamily_INET || m.GetQueryPort() == 0 || !from.Equal(net.IPv4(127, 0, 0, 1)) {
		t.Errorf("%s from %v port %d to %s, want %s", typ, from, m.GetQueryPort(), address, want)
	}
	text := fmt.Sprintf("%s %v %s", typ, m.GetSocketProtocol(), strings.ToLower(msg.Question[0].Name))
	if zone := m.GetQueryZone(); zone != nil {
		name, _, err := dns.UnpackDomainName(zone, 0)
		if err != nil {
			t.Errorf("%s of zone % x: %v", typ, zone, err)
		}
		text += " of " + name
	}
	return text
}

// A file of dnstap is whole for others when the daemon has ended, and one that is renamed when the next one has begun.
func TestDnstapIntoAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "q")
	config := "[recursion]\nenabled = false\n[dnstap]\noutput = \"file:" + path + "\"\nmessages = [\"client_response\"]\n"
	d := start(t, config)
	d.exchange(chaos("version.bind."), "udp")
	until(t, "messages", func() bool { return d.recording().Records.Dnstap.Written >= 2 })
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	until(t, "a new file", func() bool { _, err := os.Stat(path); return err == nil })
	n := len(framesOf(t, path+".1"))
	d.exchange(chaos("version.bind."), "udp")
	d.stop(syscall.SIGTERM)
	if more := len(framesOf(t, path)); n < 2 || more < 1 {
		t.Errorf("%d and %d frames", n, more)
	}
	d.launch()
	until(t, "what was there to be put aside", func() bool { _, err := os.Stat(path + ".old"); return err == nil })
}

// reader is a reader of dnstap that may behave as it likes.
type reader struct {
	net.Listener
	behave func(net.Conn)
	mu     sync.Mutex
	open   []net.Conn
}

func newReader(t *testing.T, path string, behave func(net.Conn)) *reader {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{Listener: l}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.mu.Lock()
			r.open = append(r.open, c)
			r.mu.Unlock()
			go behave(c)
		}
	}()
	t.Cleanup(r.kill)
	return r
}

// kill ends the reader and all its connections.
func (r *reader) kill() {
	r.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.open {
		c.Close()
	}
}

func greet(c net.Conn) (*framestream.Reader, error) {
	return framestream.NewReader(c, &framestream.ReaderOptions{ContentTypes: [][]byte{[]byte(dnstapType)}, Bidirectional: true})
}

// Whatever becomes of the reader, queries are answered; what it does not get is counted, and the next one gets what comes.
func TestDnstapReaderFails(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	large := "@ 3600 SOA a b 1 2 3 4 5\n@ 3600 NS a\na 3600 A 192.0.2.7\n"
	for i := range 200 {
		large += fmt.Sprintf("large 3600 TXT \"%d-%s\"\n", i, strings.Repeat("x", 240))
	}
	d := start(t, "[recursion]\nenabled = false\n"+zoneFile(t, "own.example.", large)+"[dnstap]\noutput = \"unix:"+path+"\"\n[memory]\nrecord_ring = \"512KiB\"\n")
	status := func(what string, f func(r recording) bool) {
		t.Helper()
		until(t, what, func() bool { return f(d.recording()) })
	}
	ask := func(n int) {
		t.Helper()
		c, err := (&dns.Client{Net: "tcp", Timeout: patience}).Dial(d.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(patience))
		for range n {
			if err := c.WriteMsg(question("large.own.example.", dns.TypeTXT)); err != nil {
				t.Fatal(err)
			}
			if r, err := c.ReadMsg(); err != nil || len(r.Answer) != 200 {
				t.Fatalf("%v", err)
			}
		}
	}
	// Nobody is there.
	ask(1)
	status("the missing reader", func(r recording) bool { return r.Records.Dnstap.Broken && r.Records.Dnstap.Written == 0 })

	// One that speaks another protocol.
	for _, said := range []string{"HTTP/1.1 400 Bad Request\r\n\r\n", "\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x05", "\x00\x00\x00\x00\xff\xff\xff\xff", ""} {
		met := make(chan bool, 100)
		r := newReader(t, path, func(c net.Conn) {
			c.Write([]byte(said))
			c.Close()
			met <- true
		})
		<-met
		ask(1)
		r.kill()
	}
	if r := d.recording(); r.Records.Dnstap.Written != 0 || !r.Records.Dnstap.Broken {
		t.Errorf("%+v", r)
	}

	// One that greets and does not read: kernel and daemon keep what there is room for.
	never := newReader(t, path, func(c net.Conn) {
		if _, err := greet(c); err != nil {
			t.Log(err)
		}
	})
	status("a connection", func(r recording) bool { return !r.Records.Dnstap.Broken })
	ask(300) // 15 MB
	status("what is lost to be counted", func(r recording) bool { return r.Totals.Unrecorded["dnstap"] > 50 })
	var shards struct {
		Shards []struct{ Unrecorded map[string]uint64 }
	}
	if d.ctlJSON(&shards, "shards"); shards.Shards[0].Unrecorded["dnstap"] == 0 {
		t.Errorf("shards tell of %v", shards)
	}
	never.kill()

	// One that reads, and gets what was kept and what comes.
	got := make(chan string, 10000)
	read := func(c net.Conn) {
		r, err := greet(c)
		buf := make([]byte, 1<<18)
		for n := 0; err == nil; {
			if n, err = r.ReadFrame(buf); err == nil {
				got <- undump(t, buf[:n]).GetMessage().GetType().String()
			}
		}
	}
	first := newReader(t, path, read)
	if typ := <-got; !strings.HasPrefix(typ, "AUTH_") {
		t.Error(typ)
	}
	ask(1)
	first.kill()
	ask(1)
	for len(got) > 0 {
		<-got
	}
	newReader(t, path, read)
	ask(1)
	if typ := <-got; !strings.HasPrefix(typ, "AUTH_") {
		t.Error(typ)
	}
	if code := d.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for line, n := range map[string]int{"no reader of dnstap is connected": 5, "a reader of dnstap is connected": 4} {
		if logged := strings.Count(d.log.String(), line); logged > n {
			t.Errorf("%d lines: %s", logged, line)
		}
	}
}

// A reload changes all of dnstap, and loses no query.
func TestDnstapReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := func(output string) string {
		return "[recursion]\nenabled = false\n" + zoneFile(t, "own.example.", "@ 3600 SOA a b 1 2 3 4 5\n@ 3600 NS a\na 3600 A 192.0.2.7\n") + output
	}
	tap := func(file, messages string) string {
		return fmt.Sprintf("[dnstap]\noutput = \"file:%s\"\nmessages = [%q]\n", filepath.Join(dir, file), messages)
	}
	d := start(t, config(named(dir)))
	written := uint64(0)
	reload := func(text string) {
		t.Helper()
		d.write(config(text))
		var r reloaded
		if d.ctlJSON(&r, "reload"); len(r.NeedsRestart) > 0 {
			t.Errorf("%+v", r)
		}
		if r := d.ask("a.own.example.", dns.TypeA); len(r.Answer) != 1 {
			t.Errorf("%v", r)
		}
		if strings.Contains(text, "output") {
			written++
			until(t, "the message", func() bool { return d.recording().Records.Dnstap.Written == written })
		}
	}
	reload(tap("one", "auth_query"))
	reload(tap("one", "auth_response"))
	reload(tap("two", "auth_response") + "[memory]\nrecord_ring = \"1MiB\"\n")
	reload("")
	reload("")
	d.write(config(tap("no/such/folder", "auth_query")))
	if out, code := d.ctl("reload"); code == 0 || !strings.Contains(out, "no/such: ") {
		t.Errorf("%d: %s", code, out)
	}
	var types []string
	for _, file := range []string{"one", "two"} {
		for _, f := range framesOf(t, filepath.Join(dir, file)) {
			types = append(types, file+" "+f.GetMessage().GetType().String())
		}
	}
	if want := []string{"one AUTH_QUERY", "one AUTH_RESPONSE", "two AUTH_RESPONSE"}; !slices.Equal(types, want) {
		t.Errorf("%q", types)
	}
	if bytes.Contains([]byte(d.log.String()), []byte("panic")) {
		t.Error(d.log)
	}
}
