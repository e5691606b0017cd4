package preflight

import (
	"encoding/binary"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// Chains on the way in that have rules or drop what no rule wants are found; others are none of ours.
func TestRootFilters(t *testing.T) {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for ever: the thread ends, and its network namespace with it
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			defer close(done)
			testFilters(t)
			return
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Skip("takes root, to make network namespaces: ", err)
	}
}

func testFilters(t *testing.T) {
	list := func() []string {
		t.Helper()
		list, err := ThisMachine("/").Filters()
		if err != nil {
			t.Error(err)
		}
		return list
	}
	if got := list(); len(got) > 0 {
		t.Errorf("in a new namespace: %q", got)
	}
	var b nfBatch
	b.add(unix.NFNL_MSG_BATCH_BEGIN, 0)
	b.add(unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_NEWTABLE, unix.NFPROTO_INET, attr(1, "wall"))
	b.chain("idle", unix.NF_INET_LOCAL_IN, nfAccept)
	b.chain("out", unix.NF_INET_LOCAL_OUT, nfDrop)
	b.chain("in", unix.NF_INET_LOCAL_IN, nfDrop)
	b.chain("early", unix.NF_INET_PRE_ROUTING, nfDrop)
	b.add(unix.NFNL_MSG_BATCH_END, 0)
	if err := b.send(); err != nil {
		t.Skipf("%v: nftables: %v", ErrNotSupported, err)
	}
	got := list()
	slices.Sort(got)
	if want := []string{"inet wall early, rules 0, policy drop", "inet wall in, rules 0, policy drop"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// nfBatch is a batch of changes of nftables.
type nfBatch []byte

// attr is an attribute: a text, a number, or nested ones.
func attr(kind uint16, value any) []byte {
	var v []byte
	switch value := value.(type) {
	case string:
		v = append([]byte(value), 0)
	case uint32:
		v = binary.BigEndian.AppendUint32(nil, value)
	case []byte:
		v, kind = value, kind|unix.NLA_F_NESTED
	}
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(v)))
	b = append(binary.NativeEndian.AppendUint16(b, kind), v...)
	return append(b, make([]byte, -len(b)&3)...)
}

func (b *nfBatch) add(kind uint16, family byte, attrs ...[]byte) {
	body := []byte{family, 0, 0, 0}
	if kind == unix.NFNL_MSG_BATCH_BEGIN || kind == unix.NFNL_MSG_BATCH_END {
		body[3] = unix.NFNL_SUBSYS_NFTABLES
	}
	for _, a := range attrs {
		body = append(body, a...)
	}
	*b = binary.NativeEndian.AppendUint32(*b, uint32(unix.SizeofNlMsghdr+len(body)))
	*b = binary.NativeEndian.AppendUint16(*b, kind)
	*b = binary.NativeEndian.AppendUint16(*b, unix.NLM_F_REQUEST|unix.NLM_F_CREATE|unix.NLM_F_ACK)
	*b = append(*b, make([]byte, 8)...)
	*b = append(*b, body...)
}

// chain adds a base chain to the table.
func (b *nfBatch) chain(name string, hook, policy uint32) {
	b.add(unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_NEWCHAIN, unix.NFPROTO_INET, attr(chainTable, "wall"), attr(chainName, name),
		attr(chainHook, append(attr(hookNumber, hook), attr(2, uint32(0))...)), attr(chainPolicy, policy), attr(7, "filter"))
}

// send carries the batch out. The kernel has done so when it returns, and what it has to say waits to be read.
func (b nfBatch) send() error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	buf := make([]byte, 8192)
	for range 100 {
		n, _, err := unix.Recvfrom(fd, buf, unix.MSG_DONTWAIT)
		if err != nil {
			break
		}
		if code := int32(binary.NativeEndian.Uint32(buf[unix.SizeofNlMsghdr:n])); code != 0 {
			return unix.Errno(-code)
		}
	}
	return nil
}
