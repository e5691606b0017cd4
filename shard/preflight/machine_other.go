//go:build !linux

package preflight

import (
	"io/fs"
	"os"
)

type thisMachine struct{ files fs.FS }

// ThisMachine returns a machine on which nothing is found.
func ThisMachine(root string) Machine { return &thisMachine{os.DirFS(root)} }

func (m *thisMachine) Files() fs.FS                   { return m.files }
func (m *thisMachine) Write(string, string) error     { return ErrNotSupported }
func (m *thisMachine) Features() []Feature            { return []Feature{{"Linux", ErrNotSupported}} }
func (m *thisMachine) SandboxLacks() []string         { return []string{"Linux"} }
func (m *thisMachine) Programs() []Feature            { return []Feature{{"Linux", ErrNotSupported}} }
func (m *thisMachine) Filters() ([]string, error)     { return nil, ErrNotSupported }
func (m *thisMachine) Link(string) (Link, error)      { return Link{}, ErrNotSupported }
func (m *thisMachine) SetQueues(string, int) error    { return ErrNotSupported }
func (m *thisMachine) Program(uint32) (string, error) { return "", ErrNotSupported }
