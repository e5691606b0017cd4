package main

import (
	"debug/buildinfo"
	"encoding/binary"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// SECURITY.md names for each class of attacks the tests that show what it says. They exist, and each row is whole.
func TestSecurityTable(t *testing.T) {
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	known := testsOf(t, root)
	rows, classes := 0, map[string]bool{}
	name := regexp.MustCompile("`([a-z0-9/-]+)\\.((?:Test|Fuzz)[A-Za-z0-9_]+)`|`([a-z0-9_]+\\.rpl)`")
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| class ") {
			continue
		}
		rows++
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 5 {
			t.Errorf("%d columns: %s", len(cells), line)
			continue
		}
		for i := range cells {
			if cells[i] = strings.TrimSpace(cells[i]); cells[i] == "" {
				t.Errorf("column %d is empty: %s", i+1, line)
			}
		}
		if classes[cells[0]] {
			t.Errorf("%s stands twice", cells[0])
		}
		classes[cells[0]] = true
		found := name.FindAllStringSubmatch(cells[4], -1)
		if len(found) == 0 {
			t.Errorf("%s: no test is named: %s", cells[0], cells[4])
		}
		for _, m := range found {
			if id := m[1] + "." + m[2]; m[3] == "" && !known[id] {
				t.Errorf("%s: there is no test %s", cells[0], id)
			} else if m[3] != "" && !known[m[3]] {
				t.Errorf("%s: there is no scenario %s", cells[0], m[3])
			}
		}
		if rest := strings.Trim(name.ReplaceAllString(cells[4], ""), ", "); rest != "" {
			t.Errorf("%s: what is %q?", cells[0], rest)
		}
	}
	if rows < 40 {
		t.Errorf("%d classes", rows)
	}
}

// testsOf lists the tests of the source tree as package/path.TestName, and the scenarios by file name.
func testsOf(t *testing.T, root string) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	decl := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Za-z0-9_]+)\([a-z]+ \*testing\.[TF]\)`)
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && file != root:
			return fs.SkipDir
		case strings.HasSuffix(file, ".rpl"):
			known[entry.Name()] = true
		case strings.HasSuffix(file, "_test.go"):
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(root, file)
			if err != nil {
				return err
			}
			for _, m := range decl.FindAllSubmatch(text, -1) {
				known[path.Dir(filepath.ToSlash(rel))+"."+string(m[1])] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// Thousands of options in one query cost no more than their reading, and none of them goes on to other servers.
func TestManyOptions(t *testing.T) {
	passed := make(chan *dns.OPT, 100)
	up := newUpstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		select {
		case passed <- q.IsEdns0():
		default:
		}
		answerA(w, q)
	})
	d := start(t, forward(".", up))
	ask := func(conn *dns.Conn, qname string, options []byte) *dns.Msg {
		raw, err := question(qname, dns.TypeA).Pack()
		if err != nil {
			t.Fatal(err)
		}
		raw[11] = 1 // ARCOUNT
		raw = append(raw, 0, 0, 41, 4, 208, 0, 0, 0, 0)
		raw = append(binary.BigEndian.AppendUint16(raw, uint16(len(options))), options...)
		if _, err := conn.Write(raw); err != nil {
			t.Fatal(err)
		}
		r, err := conn.ReadMsg()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	conn := dialTCP(t, d)
	subnet := []byte{0, 8, 0, 7, 0, 1, 24, 0, 198, 51, 100} // RFC 7871
	for qname, options := range map[string][]byte{
		"empty.example.":   make([]byte, 60_000),                                     // 15,000 of code 0
		"subnets.example.": []byte(strings.Repeat(string(subnet), 5000)),             // the client's network, again and again
		"cookies.example.": []byte(strings.Repeat("\x00\x0a\x00\x08abcdefgh", 5000)), // cookies
		"nsid.example.":    []byte(strings.Repeat("\x00\x03\x00\x00", 15_000)),       // name server identifier
		"tcp.example.":     []byte(strings.Repeat("\x00\x0b\x00\x00", 15_000)),       // keepalive
	} {
		r := ask(conn, qname, options)
		if o := r.IsEdns0(); r.Rcode != dns.RcodeSuccess || len(r.Answer) != 1 || o == nil || len(o.Option) > 3 {
			t.Errorf("%s: %v", qname, r)
		}
		o := <-passed
		for _, option := range o.Option {
			if code := option.Option(); code != dns.EDNS0COOKIE {
				t.Errorf("%s: option %d goes on", qname, code)
			}
		}
	}
}

// Sockets of Go's library, such as the one for metrics, speak no MPTCP: it is more code of the kernel that strangers reach, and
// nobody needs it.
func TestNoMultipath(t *testing.T) {
	info, err := buildinfo.ReadFile(shipped(t, "heimdalld"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range info.Settings {
		if s.Key == "DefaultGODEBUG" && strings.Contains(","+s.Value+",", ",multipathtcp=0,") {
			return
		}
	}
	t.Errorf("multipathtcp=0 is not among %v", info.Settings)
}
