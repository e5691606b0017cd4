package lab

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
)

// Kresd starts Knot Resolver as a resolver at addr, one process of it, and returns when it answers.
func (l *Lab) Kresd(ctx context.Context, addr string, validating bool) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("start kresd: %w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `log_target('stderr')
net.listen('%s', %s, { kind = 'dns' })
cache.size = 100*MB
modules = { 'hints' }
-- These ask the root servers on their own account.
for _, m in ipairs({ 'ta_update', 'ta_signal_query', 'priming', 'detect_time_skew', 'detect_time_jump' }) do
  pcall(modules.unload, m)
end
option('ALLOW_LOCAL', true)
hints.root_file('%s')
pcall(trust_anchors.remove, '.') -- the one that comes with the package
`, host, port, l.path(hintsFile))
	if validating {
		fmt.Fprintf(&b, "trust_anchors.add([[%s]])\n", strings.TrimSpace(l.internet.TrustAnchor()))
	}
	if err := os.WriteFile(l.path(kresdFile), []byte(b.String()), 0o644); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	dir := l.path("kresd") // for its cache
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	return l.run(ctx, addr, "kresd", "-n", "-c", l.path(kresdFile), dir)
}
