//go:build !linux

package ebpf

import "net/netip"

// Program needs Linux.
type Program struct{}

// Load returns ErrNotSupported.
func Load(Options) (*Program, error) { return nil, ErrNotSupported }

func (*Program) Attach(int, Mode) (Mode, error, error)         { return Auto, nil, ErrNotSupported }
func (*Program) Refit(int) error                               { return ErrNotSupported }
func (*Program) Detached() ([]int, error)                      { return nil, ErrNotSupported }
func (*Program) Close() error                                  { return nil }
func (*Program) SetPayload(uint16) error                       { return ErrNotSupported }
func (*Program) EnableAnswers(bool) error                      { return ErrNotSupported }
func (*Program) SetEndpoints([]netip.AddrPort) error           { return ErrNotSupported }
func (*Program) SetSockets(int, []int) error                   { return ErrNotSupported }
func (*Program) SetLimits(Limits) error                        { return ErrNotSupported }
func (*Program) SetClients(Clients) error                      { return ErrNotSupported }
func (*Program) PrepareClients(Clients) (*ClientChange, error) { return nil, ErrNotSupported }
func (*Program) FollowInterfaces() error                       { return ErrNotSupported }
func (*Program) RetryClients() error                           { return ErrNotSupported }
func (*Program) ClientTable() (t ClientTable)                  { return t }
func (*Program) Key(*Answer) Key                               { return 0 }
func (*Program) Publish(uint32, uint32, []Answer) (int, error) { return 0, ErrNotSupported }
func (*Program) SetMinHits(uint16) error                       { return ErrNotSupported }
func (*Program) Waiting() int                                  { return 0 }
func (*Program) Nominees(dst []Question, names []byte, _ int) ([]Question, []byte, error) {
	return dst, names, ErrNotSupported
}
func (*Program) Room() int                             { return 0 }
func (*Program) Published(*Question) (Published, bool) { return Published{}, false }
func (*Program) Holds(*Answer) bool                    { return false }
func (*Program) Answers() int                          { return 0 }
func (*Program) TableBytes() uint64                    { return 0 }
func (*Program) Generation() uint32                    { return 0 }
func (*Program) Flush() error                          { return ErrNotSupported }
func (*Program) Stats() (s Stats, err error)           { return s, ErrNotSupported }
func (*Program) Try([]byte) (Verdict, []byte, error)   { return 0, nil, ErrNotSupported }

// ClientChange needs Linux.
type ClientChange struct{}

func (*ClientChange) Apply() error { return ErrNotSupported }
func (*ClientChange) Discard()     {}

// Probe finds nothing.
func Probe() []Feature { return []Feature{{"Linux", ErrNotSupported}} }

// TryPrograms has none to try.
func TryPrograms() []Feature { return []Feature{{"Linux", ErrNotSupported}} }

// ProgramName returns ErrNotSupported.
func ProgramName(uint32) (string, error) { return "", ErrNotSupported }

// LosesZeroCopy returns false.
func LosesZeroCopy(string) bool { return false }

// Steering needs Linux.
type Steering struct{}

// AttachSteering returns ErrNotSupported.
func AttachSteering(By, Seed, []Socket) (*Steering, error) { return nil, ErrNotSupported }

func (*Steering) Update([]Socket) error { return ErrNotSupported }
func (*Steering) Detach(int) error      { return ErrNotSupported }
func (*Steering) Close() error          { return nil }

// Settle does nothing: there is no Steering.
func Settle() {}

// DriverOf knows no driver.
func DriverOf(string) string { return "" }
