package main

import (
	"fmt"
	"io"
	"os"

	"heimdall/core/config"
	"heimdall/shard/anycast"
)

// withdraw takes off the service addresses of a daemon that has died. The service manager calls it when the daemon's process
// has ended, and says how (systemd.exec(5)): one that has ended well has done so itself, or handed the addresses to the next.
// SERVICE_RESULT does not tell: death by SIGTERM is a success to the manager, and comes of a second one while the daemon drains.
func withdraw(cfg *config.Config, stdout, stderr io.Writer) int {
	if os.Getenv("EXIT_CODE") == "exited" && os.Getenv("EXIT_STATUS") == "0" {
		return 0
	}
	if len(cfg.Anycast.Addresses) == 0 {
		return 0
	}
	gone, err := anycast.Clear(cfg.Anycast.Addresses, cfg.Anycast.Lease)
	for _, a := range gone {
		fmt.Fprintln(stdout, "took off", a)
	}
	if err != nil {
		fmt.Fprintln(stderr, "heimdalld: take off the service addresses:", err)
		return 1
	}
	return 0
}
