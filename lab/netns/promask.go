package netns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"scanside/lab/emu/tun"
)

const every = time.Second // the lab's Prometheuses scrape and evaluate so often

// Alerts that fire: those that the pulled cable should raise, and any other.
const (
	downAlert  = `ALERTS{alertname="ScansideUplinkDown", link="primary", alertstate="firing"}`
	anyAlert   = `ALERTS{alertstate="firing"}`
	otherAlert = `ALERTS{alertname!="ScansideUplinkDown", alertstate="firing"}`
)

// asked is a Prometheus in a namespace.
type asked struct {
	url    string
	client *http.Client
}

func prometheus(namespace, address string) asked {
	dial := func(ctx context.Context, network, addr string) (c net.Conn, err error) {
		err = tun.Within(namespace, func() error {
			c, err = (&net.Dialer{}).DialContext(ctx, network, addr)
			return err
		})
		return c, err
	}
	return asked{"http://" + address, &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// series is one line of a query's answer.
type series struct {
	Metric map[string]string
	Value  [2]any
}

func (a asked) query(ctx context.Context, q string) ([]series, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+"/api/v1/query?query="+url.QueryEscape(q), nil)
	if err != nil {
		return nil, err
	}
	res, err := a.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var answer struct {
		Error string
		Data  struct{ Result []series }
	}
	text, err := io.ReadAll(res.Body)
	if err := errors.Join(err, json.Unmarshal(text, &answer)); err != nil {
		return nil, fmt.Errorf("ask for %s: %w: %s", q, err, text)
	}
	if answer.Error != "" {
		return nil, fmt.Errorf("ask for %s: %s", q, answer.Error)
	}
	return answer.Data.Result, nil
}

func (a asked) count(ctx context.Context, q string) (int, error) {
	all, err := a.query(ctx, q)
	return len(all), err
}

// expect is an error until a query has so many series.
func (a asked) expect(ctx context.Context, q string, want int) error {
	all, err := a.query(ctx, q)
	if err == nil && len(all) != want {
		var seen []string
		for _, s := range all {
			seen = append(seen, fmt.Sprint(s.Metric))
		}
		err = fmt.Errorf("%s has %d series, not %d: %s", q, len(all), want, strings.Join(seen, "; "))
	}
	return err
}

// value is the only value of a query's answer.
func (a asked) value(ctx context.Context, q string) (int, error) {
	all, err := a.query(ctx, q)
	if err != nil {
		return 0, err
	}
	if len(all) != 1 {
		return 0, fmt.Errorf("%s has %d values, not 1", q, len(all))
	}
	v, err := strconv.ParseFloat(fmt.Sprint(all[0].Value[1]), 64)
	return int(v), err
}

// shortened copies the shipped rules with each alert's `for` divided; nothing else is changed.
func shortened(from, to string, factor float64) error {
	for _, name := range []string{"scanside.rules.yaml", "scanside.alerts.yaml"} {
		text, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		text = regexp.MustCompile(`(?m)^( +for: )(\S+)$`).ReplaceAllFunc(text, func(line []byte) []byte {
			lead, long, _ := strings.Cut(string(line), "for: ")
			d, err := time.ParseDuration(long)
			if err != nil {
				return line // Prometheus says what is wrong with it
			}
			return fmt.Appendf(nil, "%sfor: %dms", lead, time.Duration(float64(d)/factor).Milliseconds())
		})
		if err := os.WriteFile(filepath.Join(to, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// mayBeEmpty are queries of the dashboard about what this room does not have: a budget, a loudspeaker.
var mayBeEmpty = []string{"scanside_uplink_budget_bytes", "scanside_playout_"}

// askDashboard asks all that the dashboard asks, in the room's place in Grafana, and says what has no series though it should.
func (w *World) askDashboard(ctx context.Context, file string, at, far asked) (n, empty int, err error) {
	queries, err := dashboardQueries(file)
	if err != nil {
		return 0, 0, err
	}
	for _, q := range queries {
		whom := at
		if strings.Contains(q, "scanside_gateway_") {
			whom = far
		}
		found, err := whom.count(ctx, q)
		if err != nil {
			return n, empty, err
		}
		n++
		if found == 0 && !slices.ContainsFunc(mayBeEmpty, func(m string) bool { return strings.Contains(q, m) }) {
			empty++
			w.say("no series: %s", q)
		}
	}
	return n, empty, nil
}

// dashboardQueries lists what the panels ask, with Grafana's variables filled in for this room.
func dashboardQueries(file string) (all []string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var d struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	fill := strings.NewReplacer("$job", ".*", "$instance", regexp.QuoteMeta(scraped), "$__rate_interval", "30s", "$__range", "1h")
	for _, p := range d.Panels {
		for _, t := range p.Targets {
			all = append(all, fill.Replace(t.Expr))
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s asks nothing", file)
	}
	return all, nil
}
