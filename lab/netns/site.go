package netns

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Addresses of a hospital's network: the room's primary uplink is a cable to the site's router, which has the provider's line
// behind it. The relay is a machine of its own beside the gateway.
const (
	siteRouter   = "10.77.1.254"
	siteOutside  = "10.78.1.1"
	siteProvider = "10.78.1.2"
	relayAddress = "10.99.0.2"
	proxyPort    = "3128"
	siteCable    = "lan0" // the router's end of it
)

// walled is a place whose first uplink goes through a site's router with a firewall. The router is a third namespace.
type walled struct {
	*place
	site string
}

func newWalled() (*walled, error) {
	p, err := newPlace()
	if err != nil {
		return nil, err
	}
	w := &walled{place: p, site: prefix + itoa(os.Getpid()) + "-site"}
	err = errors.Join(ip("netns", "add", w.site), ip("-n", w.site, "link", "set", "lo", "up"),
		ip("-n", p.far, "addr", "add", relayAddress+"/24", "dev", "wan0"))
	if err != nil {
		w.remove()
		return nil, fmt.Errorf("make the site: %w", err)
	}
	return w, nil
}

func (w *walled) remove() {
	w.place.remove()
	_ = exec.Command("ip", "netns", "del", w.site).Run() // one that was never made is no matter
}

// address joins the room to the router, the router to the emulator's device, and the second uplink to the far end.
func (w *walled) address(first, second string) error {
	w.uplinks = []string{first, second}
	run := func(args ...string) error {
		out, err := exec.Command("ip", append([]string{"netns", "exec", w.site}, args...)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%v at the site: %w: %s", args, err, out)
		}
		return nil
	}
	return errors.Join(
		ip("link", "add", "dev", first, "netns", w.room, "type", "veth", "peer", "name", siteCable, "netns", w.site),
		ip("-n", w.room, "addr", "add", roomAddress(0)+"/24", "dev", first),
		ip("-n", w.room, "link", "set", first, "up"),
		ip("-n", w.site, "addr", "add", siteRouter+"/24", "dev", siteCable),
		ip("-n", w.site, "link", "set", siteCable, "up"),
		ip("-n", w.site, "addr", "add", siteOutside+"/30", "dev", first),
		ip("-n", w.site, "link", "set", first, "up"),
		ip("-n", w.far, "addr", "add", siteProvider+"/30", "dev", first),
		ip("-n", w.far, "link", "set", first, "up"),
		ip("-n", w.room, "route", "add", "10.99.0.0/24", "via", siteRouter, "dev", first, "metric", "100"),
		ip("-n", w.site, "route", "add", "10.99.0.0/24", "via", siteProvider, "dev", first),
		ip("-n", w.far, "route", "add", "10.77.1.0/24", "via", siteOutside, "dev", first),
		run("sysctl", "-qw", "net.ipv4.ip_forward=1"),
		ip("-n", w.room, "addr", "add", roomAddress(1)+"/24", "dev", second),
		ip("-n", w.far, "addr", "add", farPeer(1)+"/24", "dev", second),
		ip("-n", w.far, "link", "set", second, "up"),
		ip("-n", w.room, "link", "set", second, "up"),
		ip("-n", w.room, "route", "add", "10.99.0.0/24", "via", farPeer(1), "dev", second, "metric", "101"),
	)
}

// wall sets what the router lets out: nftables rules for what comes from the room; the last one decides about the rest.
func (w *walled) wall(rules []string) error {
	text := fmt.Sprintf("table inet site {\n chain forward {\n  type filter hook forward priority 0; policy accept;\n  iifname != %q accept\n  %s\n }\n}\n",
		siteCable, strings.Join(rules, "\n  "))
	cmd := exec.Command("ip", "netns", "exec", w.site, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("set the site's firewall: %w: %s\n%s", err, out, text)
	}
	return nil
}

// labSecret is what coturn shares with agent and gateway, and the proxy's password; a lab lasts minutes.
const labSecret = "a-secret-of-the-lab"

// startRelay starts Debian's coturn: UDP and TCP on 3478, TLS on 443, credentials by a shared secret.
func (w *World) startRelay(namespace, cert, key string) error {
	path := filepath.Join(w.dir, "turnserver.conf")
	text := fmt.Sprintf(`listening-ip=%[1]s
relay-ip=%[1]s
listening-port=3478
tls-listening-port=443
cert=%[2]s
pkey=%[3]s
realm=lab
use-auth-secret
static-auth-secret=%[4]s
userdb=%[5]s
pidfile=%[6]s
log-file=stdout
no-cli
`, relayAddress, cert, key, labSecret, filepath.Join(w.dir, "turndb"), filepath.Join(w.dir, "turnserver.pid"))
	return w.startPart(namespace, "relay", path, text, "turnserver", "-c", path)
}

// startProxy starts Debian's tinyproxy on the site's router: CONNECT to port 443 only, for one user.
func (w *World) startProxy(namespace string) error {
	path := filepath.Join(w.dir, "tinyproxy.conf")
	text := fmt.Sprintf("Port %s\nListen %s\nTimeout 600\nMaxClients 50\nConnectPort 443\nBasicAuth room %s\n", proxyPort, siteRouter, labSecret)
	return w.startPart(namespace, "proxy", path, text, "tinyproxy", "-d", "-c", path)
}

func (w *World) startPart(namespace, name, path, text string, args ...string) error {
	if _, err := exec.LookPath(args[0]); err != nil {
		return fmt.Errorf("%w; `make lab-deps` installs it", err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	p, err := start(namespace, w.dir, name, measured, nil, args...)
	if err != nil {
		return err
	}
	w.stops = append(w.stops, p.stop)
	w.parts = append(w.parts, p)
	return nil
}
