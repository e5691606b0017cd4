package ebpf

import (
	"errors"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// A program that reads beyond the packet: the error says so in one line, and keeps the log.
func TestRootRejection(t *testing.T) {
	spec := &ebpf.ProgramSpec{Type: ebpf.XDP, License: "GPL", Instructions: asm.Instructions{
		asm.LoadMem(asm.R2, asm.R1, 0, asm.Word),
		asm.LoadMem(asm.R0, asm.R2, 0, asm.Word),
		asm.Return(),
	}}
	p, err := ebpf.NewProgram(spec)
	if err == nil {
		p.Close()
		t.Fatal("the verifier lets it read beyond the packet")
	}
	if !errors.As(err, new(*ebpf.VerifierError)) || errors.Is(err, ebpf.ErrNotSupported) {
		t.Skip(explain("load", err)) // no permission, or no eBPF
	}
	err = explain("load", err)
	var r *Rejection
	if !errors.As(err, &r) || !errors.Is(err, ErrNotSupported) {
		t.Fatalf("%v: no rejection", err)
	}
	if !strings.Contains(err.Error(), "invalid access to packet") || strings.Contains(err.Error(), "\n") || len(r.Log) < 2 {
		t.Errorf("%q with a log of %d lines", err, len(r.Log))
	}
}

func TestLastWords(t *testing.T) {
	for _, c := range []struct {
		log  []string
		want string
	}{
		{[]string{"0: (61) r2 = *(u32 *)(r1 +0)", "invalid access to packet", "processed 2 insns (limit 1000000)", ""}, "invalid access to packet"},
		{[]string{"1: (61) r0 = *(u32 *)(r2 +0)", "invalid access to map value, off=176", "R8 max value is outside of the allowed memory range", "processed 2 insns"},
			"invalid access to map value, off=176, R8 max value is outside of the allowed memory range"},
		{[]string{"; ttl = 1", "1: (b7) r0 = 1"}, "it does not say why"},
		{[]string{"processed 2 insns"}, "it does not say why"},
		{nil, "it does not say why"},
	} {
		if got := lastWords(c.log); got != c.want {
			t.Errorf("%q: %q, want %q", c.log, got, c.want)
		}
	}
}
