package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"scanside/agent"
)

// pageLimit bounds what is read of an answer.
const pageLimit = 1 << 20

// errNoPage says that the agent cannot be spoken to, whether it runs or not.
var errNoPage = errors.New("status.listen is empty: without its page the agent cannot be spoken to")

// askPage asks the page of the agent on this machine, and reads its answer into a value; nil: there is none to read.
func askPage(ctx context.Context, page agent.Status, method, path string, form url.Values, into any) error {
	if page.Listen == "" {
		return errNoPage
	}
	where, err := onThisMachine(page.Listen)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+where+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	if len(form) > 0 {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := askAgent(req, page, where)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, pageLimit))
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		var problem struct{ Detail string }
		if json.Unmarshal(text, &problem) != nil || problem.Detail == "" {
			problem.Detail = strings.TrimSpace(string(text))
		}
		return fmt.Errorf("the agent refused (%d): %s", resp.StatusCode, problem.Detail)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}
