package ebpf

//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -target bpfel -type exit -type client xdp c/xdp.c -- -O2 -Wall -Werror -mcpu=v3 -idirafter /usr/include/x86_64-linux-gnu
//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -target bpfel steer c/steer.c -- -O2 -Wall -Werror -mcpu=v3 -idirafter /usr/include/x86_64-linux-gnu
