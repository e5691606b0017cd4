// Package anycast puts the service addresses of a fleet on an interface while the daemon is healthy, where the host's routing
// daemon finds and announces them.
//
// The addresses have a lifetime in the kernel, the lease, and the keeper renews them. So they go if the daemon is killed,
// hangs or is stopped, without anybody's help. An interface that ends with its process, a TUN device, would go at once, but
// it stays while the process hangs, takes a device node and a driver, and is not the interface that operators name. Where a
// service manager sees the process die, it can have Clear called: then the addresses are gone as soon.
//
// What is taken off on purpose leaves a local route behind for a while: routers need time to learn it, and what they still
// send here is still answered.
package anycast
