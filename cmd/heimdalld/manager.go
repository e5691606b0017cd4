package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
)

// manager tells the service manager how the daemon is (sd_notify(3)). Without one it tells nobody.
type manager struct{ log *slog.Logger }

// tell sends lines of the protocol.
func (m manager) tell(lines string) {
	if _, err := systemd.SdNotify(false, lines); err != nil {
		m.log.Warn("the service manager cannot be told how the daemon is", "error", err)
	}
}

// ready says that the daemon serves, after the start and after a reload.
func (m manager) ready(status string) { m.tell(systemd.SdNotifyReady + "\nSTATUS=" + status) }

// reloading says that a reload begins; ready says that it has ended.
func (m manager) reloading() {
	now, err := monotonic()
	if err != nil {
		m.log.Warn("the service manager cannot be told of a reload", "error", err)
		return
	}
	m.tell(fmt.Sprintf("%s\nMONOTONIC_USEC=%d", systemd.SdNotifyReloading, now.Microseconds()))
}

// replaced says that another process is the daemon. The manager does not listen to this one any more.
func (m manager) replaced(pid int) { m.tell(fmt.Sprint("MAINPID=", pid)) }

// stopping says that the daemon drains.
func (m manager) stopping() { m.tell(systemd.SdNotifyStopping + "\nSTATUS=draining") }

// feed keeps the manager's watchdog quiet until ctx ends, as long as turning finds no fault.
func (m manager) feed(ctx context.Context, turning func(context.Context) error) {
	within, err := systemd.SdWatchdogEnabled(false)
	if err != nil {
		m.log.Warn("the service manager's watchdog is not fed", "error", err)
	}
	if within == 0 {
		return
	}
	// Twice within the time, as sd_watchdog_enabled(3) has it.
	tick := time.NewTicker(within / 2)
	defer tick.Stop()
	for {
		look, over := context.WithTimeout(ctx, within/2)
		if err := turning(look); err == nil {
			m.tell(systemd.SdNotifyWatchdog)
		} else if ctx.Err() == nil {
			m.log.Error("a shard does not turn; the service manager's watchdog is not fed", "error", err)
		}
		over()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
