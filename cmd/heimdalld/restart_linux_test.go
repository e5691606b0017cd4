package main

import (
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"heimdall/core/control"
)

// keeper is a service manager that keeps descriptors, as systemd does.
type keeper struct {
	t    *testing.T
	path string

	mu   sync.Mutex
	kept map[string][]*os.File
	told []string
}

func newKeeper(t *testing.T) *keeper {
	t.Helper()
	k := &keeper{t: t, path: filepath.Join(t.TempDir(), "notify"), kept: map[string][]*os.File{}}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: k.path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	done.Go(func() {
		buf, oob := make([]byte, 4096), make([]byte, unix.CmsgSpace(253*4))
		for {
			n, oobn, _, _, err := conn.ReadMsgUnix(buf, oob)
			if err != nil {
				return
			}
			k.message(string(buf[:n]), oob[:oobn])
		}
	})
	t.Cleanup(func() {
		conn.Close()
		done.Wait()
		for name := range k.kept {
			k.remove(name)
		}
	})
	return k
}

func (k *keeper) message(text string, oob []byte) {
	var fds []int
	if list, err := unix.ParseSocketControlMessage(oob); err == nil && len(list) > 0 {
		fds, _ = unix.ParseUnixRights(&list[0])
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.told = append(k.told, text)
	name := ""
	for line := range strings.SplitSeq(text, "\n") {
		if after, ok := strings.CutPrefix(line, "FDNAME="); ok {
			name = after
		}
	}
	switch {
	case strings.HasPrefix(text, "FDSTOREREMOVE=1"):
		k.remove(name)
	case strings.HasPrefix(text, "FDSTORE=1"):
		for _, fd := range fds {
			k.kept[name] = append(k.kept[name], os.NewFile(uintptr(fd), name))
		}
		fds = nil
	}
	for _, fd := range fds { // the end of a barrier's pipe
		unix.Close(fd)
	}
}

func (k *keeper) remove(name string) {
	for _, f := range k.kept[name] {
		f.Close()
	}
	delete(k.kept, name)
}

// list returns what is kept, by name.
func (k *keeper) list() (names []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for name, files := range k.kept {
		for range files {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// heard tells whether a message has come that contains a text.
func (k *keeper) heard(text string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.ContainsFunc(k.told, func(m string) bool { return strings.Contains(m, text) })
}

// launch starts the daemon with what is kept. Nothing is removed meanwhile.
func (k *keeper) launch(d *daemon) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var files []*os.File
	var names []string
	for _, name := range slices.Sorted(maps.Keys(k.kept)) {
		for _, f := range k.kept[name] {
			files, names = append(files, f), append(names, name)
		}
	}
	k.told = nil
	d.launchWith(files, "env", "NOTIFY_SOCKET="+k.path, "FDSTORE=100", fmt.Sprint("LISTEN_FDS=", len(names)), "LISTEN_FDNAMES="+strings.Join(names, ":"),
		"sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`)
}

// On a restart by a service manager that keeps descriptors, the sockets stay open: queries wait in their queues meanwhile. Those
// that the new process has no use for are closed.
func TestRestartKeepsSockets(t *testing.T) {
	t.Parallel()
	const toml = "[cpu]\nshards = %d\npin = false\n"
	up := newUpstream(t, answerA)
	d := start(t, fmt.Sprintf(toml, 2)+forward(".", up))
	if code := d.stop(syscall.SIGTERM); code != 0 {
		t.Fatal(code)
	}
	k := newKeeper(t)
	k.launch(d)
	want := []string{"tcp-0", "tcp-1", "udp-0", "udp-1"}
	until(t, "the sockets to be kept", func() bool { return slices.Equal(k.list(), want) && k.heard("READY=1") })
	a := newAsker(t, d.addr, 50)
	a.run("udp", false)
	a.run("udp", true)
	a.more(2000) // all names are known
	before := up.Count("")
	for _, restart := range []struct {
		signal syscall.Signal
		shards int
		want   []string
	}{
		{syscall.SIGTERM, 2, want},
		{syscall.SIGTERM, 3, []string{"tcp-0", "tcp-1", "tcp-2", "udp-0", "udp-1", "udp-2"}},
		{syscall.SIGTERM, 3, []string{"tcp-0", "tcp-1", "tcp-2", "udp-0", "udp-1", "udp-2"}},
	} {
		a.more(200)
		d.write(fmt.Sprintf(toml, restart.shards) + forward(".", up))
		d.cmd.Process.Signal(restart.signal)
		<-d.exited
		k.launch(d)
		a.more(200)
		var st control.Status
		if d.ctlJSON(&st, "status"); st.ShardsRunning != restart.shards || len(st.Warnings) > 0 {
			t.Errorf("%d shards, warnings %q", st.ShardsRunning, st.Warnings)
		}
		until(t, "the sockets to be kept", func() bool { return slices.Equal(k.list(), restart.want) && k.heard("READY=1") })
	}
	t.Logf("%d queries answered", a.end())
	// Clients are answered while the caches come back.
	if n := up.Count("") - before; n > 3*50 {
		t.Errorf("%d queries for 50 names over three restarts: the caches are not kept", n)
	}
	if !strings.Contains(d.log.String(), "the caches are as they were") {
		t.Error("the caches are not as they were")
	}

	// An upgrade changes whom the manager listens to, and what it keeps stays.
	u := d.upgrade()
	until(t, "the manager to be told", func() bool { return k.heard(fmt.Sprint("MAINPID=", u.PID)) })
	until(t, "the old process to end", func() bool { return gone(d.cmd.Process.Pid) })
	// Fewer shards: what is too much is closed everywhere, or the kernel would give it queries still.
	d.write(fmt.Sprintf(toml, 1) + forward(".", up))
	if out, code := d.ctl("reload"); code != 0 {
		t.Fatal(out)
	}
	if got := k.list(); !slices.Equal(got, []string{"tcp-0", "udp-0"}) {
		t.Errorf("kept after a change of shards: %q", got)
	}
	a = newAsker(t, d.addr, 50)
	a.run("udp", true)
	a.run("tcp", true)
	a.more(200)
	a.end()
}
