package udp

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// AttachCPU makes the kernel choose among the sockets that share a port
// (SO_REUSEPORT) by the CPU that received the packet: cpus[i] is the CPU of the
// i-th socket, in the order they were bound. Packets received on any other CPU
// go to socket (CPU mod len(cpus)). One call for any socket of the group decides
// for all of them; it works for TCP listeners too. When a socket of the group is
// closed the last one takes its place, so the program must then be attached anew.
func AttachCPU(fd int, cpus []int) error {
	program, err := steerProgram(cpus)
	if err != nil {
		return fmt.Errorf("steer by CPU: %w", err)
	}
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, &prog); err != nil {
		return fmt.Errorf("steer by CPU: attach program: %w", err)
	}
	return nil
}

// steerProgram builds the classic BPF program that returns a socket's index.
func steerProgram(cpus []int) ([]unix.SockFilter, error) {
	// Two instructions a CPU and three around them, of at most BPF_MAXINSNS.
	if most := (unix.BPF_MAXINSNS - 3) / 2; len(cpus) == 0 || len(cpus) > most {
		return nil, fmt.Errorf("%d sockets, want 1 to %d", len(cpus), most)
	}
	// SKF_AD_OFF + SKF_AD_CPU: the ancillary word that holds the CPU's number.
	const cpuWord = 0xfffff000 + 36
	program := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: cpuWord}}
	for i, cpu := range cpus {
		if i == cpu {
			continue // what the remainder at the end gives anyway
		}
		program = append(program,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: uint32(cpu)},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: uint32(i)})
	}
	return append(program,
		unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_MOD | unix.BPF_K, K: uint32(len(cpus))},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_A}), nil
}
