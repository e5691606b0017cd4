package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"heimdall/core/control"
)

func (t *tool) health(ctx context.Context) error {
	h, err := ask(ctx, t, control.CommandHealth, nil, showHealth)
	if err == nil && !h.Healthy {
		return &outcomeError{"this server should not get queries: " + strings.Join(h.Reasons, "; ")}
	}
	return err
}

func showHealth(w io.Writer, h *control.Health) {
	for _, c := range h.Checks {
		verdict := "ok"
		if !c.OK {
			verdict = "FAIL"
		}
		fmt.Fprintf(w, "%-4s  %s: %s\n", verdict, c.Check, oneLine(c.Found))
	}
}

// healthText is the verdict in one line.
func healthText(h *control.Health) string {
	if h.Healthy {
		return "good"
	}
	return "NOT GOOD: " + oneLine(strings.Join(h.Reasons, "; "))
}

// anycastText is where the service addresses are, in one line.
func anycastText(a *control.Anycast) string {
	var list []string
	for _, addr := range a.Addresses {
		text := addr.Address + " " + string(addr.State)
		if addr.Error != "" {
			text += " (" + oneLine(addr.Error) + ")"
		}
		list = append(list, text)
	}
	text := strings.Join(list, ", ") + " on " + a.Interface
	if !a.Announced {
		text += "; withheld: " + oneLine(a.Because)
	}
	return text
}
