package handover

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Store is where the service manager keeps descriptors for the next process (sd_notify(3), FDSTORE). A nil Store keeps
// nothing. Its methods are called one at a time.
type Store struct {
	fd    int
	to    unix.Sockaddr
	names []string // of what it keeps
}

// OpenStore returns the service manager's store, which has what is named before; nil: there is no service manager.
func OpenStore(before []string) (*Store, error) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil, nil
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the service manager's store: %w", err)
	}
	wait := unix.NsecToTimeval(sendWithin.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &wait); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("open the service manager's store: %w", err)
	}
	// A name that begins with @ is abstract, for the package too.
	return &Store{fd: fd, to: &unix.SockaddrUnix{Name: path}, names: before}, nil
}

// Keeps tells whether the manager says that it keeps what it gets, which it does from systemd 254 on.
func (s *Store) Keeps() bool {
	most, err := strconv.Atoi(os.Getenv("FDSTORE"))
	return s != nil && err == nil && most > 0
}

// perMessage bounds the descriptors of one message.
const perMessage = 64

// Keep has the manager keep these descriptors, which stay the caller's, and none that it has kept before. When it returns,
// the manager has none of the others open any more: a socket that is open is still given packets by the kernel.
func (s *Store) Keep(items []Item) error {
	if s == nil {
		return nil
	}
	var errs []error
	removed := len(s.names) > 0
	for _, name := range s.names {
		errs = append(errs, s.send("FDSTOREREMOVE=1\nFDNAME="+name))
	}
	s.names = nil
	fds := map[string][]int{}
	for _, it := range items {
		name := it.name()
		if fds[name] == nil {
			s.names = append(s.names, name)
		}
		fds[name] = append(fds[name], it.FD)
	}
	for _, name := range s.names {
		for list := range slices.Chunk(fds[name], perMessage) {
			// Without FDPOLL=0 the manager would close a socket on which the kernel reports an error.
			errs = append(errs, s.send("FDSTORE=1\nFDPOLL=0\nFDNAME="+name, list...))
		}
	}
	if removed {
		errs = append(errs, s.barrier())
	}
	return errors.Join(errs...)
}

// Add has the manager keep a descriptor besides.
func (s *Store) Add(it Item) error {
	if s == nil {
		return nil
	}
	s.names = append(s.names, it.name())
	return s.send("FDSTORE=1\nFDPOLL=0\nFDNAME="+it.name(), it.FD)
}

func (s *Store) send(text string, fds ...int) error {
	var oob []byte
	if len(fds) > 0 {
		oob = unix.UnixRights(fds...)
	}
	if err := unix.Sendmsg(s.fd, []byte(text), oob, s.to, unix.MSG_NOSIGNAL); err != nil {
		return fmt.Errorf("tell the service manager's store: %w", err)
	}
	return nil
}

// barrier returns when the manager has dealt with all that it was told (sd_notify_barrier(3)).
func (s *Store) barrier() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	err = s.send("BARRIER=1", int(w.Fd()))
	w.Close()
	if err != nil {
		return err
	}
	r.SetReadDeadline(time.Now().Add(sendWithin))
	// The manager closes its end.
	if _, err := r.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.New("the service manager does not say that it has let go of descriptors")
	}
	return nil
}

// name is what the manager calls it.
func (it Item) name() string { return string(it.Kind) + "-" + strconv.Itoa(it.Shard) }

// named is the item of a name.
func named(name string) (it Item, ok bool) {
	kind, number, _ := strings.Cut(name, "-")
	shard, err := strconv.Atoi(number)
	it = Item{Kind: Kind(kind), Shard: shard}
	return it, err == nil && it.name() == name && slices.Contains([]Kind{UDP, TCP, Cache}, it.Kind)
}

// firstFD is the first descriptor that a service manager gives (sd_listen_fds(3)).
const firstFD = 3

// FromManager returns the descriptors that the service manager has kept for this process. What it gives besides is closed.
func FromManager() *Given {
	pid, err := strconv.Atoi(os.Getenv("LISTEN_PID"))
	count, countErr := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	names := strings.Split(os.Getenv("LISTEN_FDNAMES"), ":")
	for _, v := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		os.Unsetenv(v)
	}
	if errors.Join(err, countErr) != nil || pid != os.Getpid() {
		return nil
	}
	g := new(Given)
	for i := range count {
		fd := firstFD + i
		unix.CloseOnExec(fd)
		if i >= len(names) {
			unix.Close(fd)
			continue
		}
		it, ok := named(names[i])
		if !ok {
			unix.Close(fd)
			continue
		}
		if !slices.Contains(g.Stored, names[i]) {
			g.Stored = append(g.Stored, names[i])
		}
		g.add(it, fd)
	}
	return g
}
