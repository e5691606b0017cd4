// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// The order of loads, where the CPU does not keep it.
#ifndef HEIMDALL_ORDER_H
#define HEIMDALL_ORDER_H

#include "state.h"

// read_barrier has what is loaded before it loaded before what is loaded after it. BPF has no fences, but an atomic
// instruction that returns the old value is a full one, whatever it is done to. CPUs that keep loads in order (amd64)
// do without: there the verifier knows the variable, and takes the instruction out.
static __always_inline void read_barrier(void)
{
	__u64 word = 0;

	barrier();
	if (weakly_ordered) {
		asm volatile("" : : "r"(&word) : "memory");
		__sync_lock_test_and_set(&word, 1);
	}
	barrier();
}

#endif
