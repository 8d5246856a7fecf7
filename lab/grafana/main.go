// Command grafana judges a dashboard by Grafana's own schema: strictly, so that a field it does not know is a mistake too.
//
// It is a module of its own. The library that Grafana draws from its schema takes a minute to build, which nobody who works on
// scanside should wait for; `make dashboard` runs it.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	if err := judge(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: by Grafana's schema:\n%v\n", os.Args[1], err)
		os.Exit(1)
	}
	fmt.Println(os.Args[1] + " is as Grafana's schema says")
}

func judge(file string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	plugins.RegisterDefaultPlugins() // the schemas of the panels
	var d dashboard.Dashboard
	for _, err := range []error{d.UnmarshalJSONStrict(raw), d.Validate()} {
		if err != nil && err.Error() != "" { // the library's list of mistakes is an error even when it is empty
			return err
		}
	}
	return nil
}
