package servers

import (
	"net/netip"
	"testing"
)

const ms = int64(1e6)

func at(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}), 53)
}

// A server that lets one window after another go by is down; queries that were in flight together count once, and one
// answer brings it back.
func TestDownAndBack(t *testing.T) {
	var s Server
	now := int64(1e9)
	for range 10 { // in flight together
		s.Sent(now)
	}
	for range 10 {
		s.Overdue(now+400*ms, now)
	}
	if s.Down() || s.timeouts != 1 || !s.Silent() || s.Counters().TimedOut != 10 {
		t.Errorf("after one window: %+v", s)
	}
	for range MaxTimeouts - 1 {
		now += 3000 * ms
		s.Sent(now)
		s.Overdue(now+400*ms, now)
	}
	if !s.Down() || s.ProbeDue(now+400*ms) || !s.ProbeDue(now+400*ms+firstProbe) {
		t.Errorf("after %d windows: %+v", MaxTimeouts, s)
	}
	for range 9 + MaxTimeouts {
		s.Done(true)
	}
	if s.Measured(50 * ms); s.Down() || s.Silent() || s.Pins() != 0 || s.overdue != 0 {
		t.Errorf("after an answer: %+v", s)
	}
	if s.Measured(50 * ms); s.SRTT() != 50*ms || s.RTO() < 50*ms || s.RTO() > 200*ms {
		t.Errorf("RTT %d, RTO %d", s.SRTT(), s.RTO())
	}
}

// Nothing is sent for a while to what nothing could be sent to, and an answer ends that.
func TestBarred(t *testing.T) {
	var s Server
	if s.Unreachable(100); !s.Barred(100) || s.Barred(100+BarredFor) {
		t.Error("an address that could not be reached is asked at once, or never again")
	}
	if s.Answered(); s.Barred(100) {
		t.Error("a server that answers is barred")
	}
}

// What a server has shown to lack is believed for as long as is said, what may have been loss for twice as long each time.
func TestFeature(t *testing.T) {
	var f Feature
	if !f.Use(0) || f.State() != Unknown {
		t.Errorf("at first: %+v", f)
	}
	now := int64(0)
	for _, want := range []int64{10, 20, 40, 64, 64} {
		f.Doubt(now, 10, 64)
		if f.Use(now+want-1) || !f.Use(now+want) || f.State() != Unknown {
			t.Errorf("in doubt for %d: %+v", want, f)
		}
		now += want
	}
	f.Seen()
	if f.Doubt(now, 10, 64); f.Use(now+9) || !f.Use(now+10) {
		t.Errorf("in doubt after it was seen: %+v", f)
	}
	if f.Lacks(now, 1000); f.Use(now+999) || !f.Use(now+1000) {
		t.Errorf("shown to lack: %+v", f)
	}
}

// A cookie is ours or not, and the server's part of it is kept if its length is one that RFC 7873, section 4, allows.
func TestCookie(t *testing.T) {
	var c Cookie
	ours := c.Append(nil, fixed(0x1122334455667788))
	if len(ours) != 8 || c.Returned(ours[:7]) || !c.Returned(ours) || c.Returned([]byte("88888888")) {
		t.Errorf("client cookie % x", ours)
	}
	for size, ok := range map[int]bool{0: false, 7: false, 8: true, 32: true, 33: false} {
		if got := c.Keep(append(ours[:8:8], make([]byte, size)...)); got != ok {
			t.Errorf("server cookie of %d octets: kept %v", size, got)
		}
	}
	if c.Keep(append(ours[:8:8], "12345678"...)); string(c.Append(nil, fixed(0))) != string(ours)+"12345678" {
		t.Error("the cookies that are sent are not those that were kept")
	}
}

type fixed uint64

func (f fixed) Uint64() uint64 { return uint64(f) }

// A family is left alone when as many networks of it have no route, unless there is no other that may be asked.
func TestFamilies(t *testing.T) {
	var f Families
	six := func(i int) netip.Addr { return netip.AddrFrom16([16]byte{0x20, 1, 0, byte(i)}) }
	for range 100 {
		f.NoRoute(six(1), 0)
	}
	if f.Shut(1, [2]bool{}, 1) {
		t.Error("one network was enough")
	}
	for i := range ShutAfter {
		f.NoRoute(six(i+1), 0)
	}
	if !f.Shut(1, [2]bool{}, 1) || f.Shut(0, [2]bool{}, 1) || f.Shut(1, [2]bool{true, false}, 1) || f.Shut(1, [2]bool{}, familyShut) {
		t.Errorf("%+v", f)
	}
	if f.Answered(six(99)); f.Shut(1, [2]bool{}, 1) {
		t.Error("a family with a server that answers is left alone")
	}
}
