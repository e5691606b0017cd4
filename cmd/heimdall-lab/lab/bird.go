package lab

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// findBIRD returns the path of one of BIRD's programs, which are not in everybody's PATH; "": there is none.
func findBIRD(name string) string {
	for _, path := range []string{name, "/usr/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	return ""
}

// birdCommon is what all routing daemons of a fleet have.
const birdCommon = `router id %s;
protocol device { scan time 10; }
protocol bfd { interface "*" { min rx interval 100 ms; min tx interval 100 ms; multiplier 3; }; }
template bgp fleet {
	direct; bfd on; hold time 30;
	connect delay time 1; connect retry time 1; error wait time 1, 2; startup hold time 30;
}
`

// routerConfig is the configuration of the router's BIRD: the first way is preferred.
func routerConfig(a, b string) string {
	text := fmt.Sprintf(birdCommon, "10.99.0.1") + "protocol kernel { ipv4 { import none; export all; }; }\n"
	for i, peer := range []string{a, b} {
		text += fmt.Sprintf("protocol bgp m%d from fleet { local as 65000; neighbor %s as 65001; ipv4 { import filter { bgp_local_pref = %d; accept; }; export none; }; }\n",
			i, peer, 200-i)
	}
	return text
}

// birdConfig is the configuration of a server's BIRD: it announces the service address while the loopback interface has it.
func (m *Member) birdConfig() string {
	return fmt.Sprintf(birdCommon, m.addr) + fmt.Sprintf(`protocol direct { ipv4; interface "lo"; }
protocol bgp upstream from fleet { local as 65001; neighbor %s as 65000; ipv4 { import none; export where net = %s/32; next hop self; }; }
`, strings.TrimSuffix(m.addr, "2")+"1", Service)
}

// startBIRD starts a routing daemon.
func (f *Fleet) startBIRD(in namespace, name, config string) (*daemon, error) {
	if err := os.WriteFile(f.path(name+".bird"), []byte(config), 0o644); err != nil {
		return nil, fmt.Errorf("write the configuration of BIRD: %w", err)
	}
	return in.start(findBIRD("bird"), "-f", "-c", f.path(name+".bird"), "-s", f.path(name+".ctl"), "-P", f.path(name+".pid"))
}

// routes returns how many ways to the service address the router knows.
func (f *Fleet) routes() int {
	out, err := exec.Command(findBIRD("birdc"), "-r", "-s", f.path("router.ctl"), "show", "route", "for", Service+"/32").Output()
	if err != nil {
		return 0
	}
	return strings.Count(string(out), "via ")
}
