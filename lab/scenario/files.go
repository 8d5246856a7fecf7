package scenario

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed files/*.scenario
var files embed.FS

const suffix = ".scenario"

// All lists the names of the scenarios that come with the program.
func All() []string {
	entries, _ := files.ReadDir("files") // embedded: it is there
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), suffix))
	}
	return names
}

// Load reads one of them.
func Load(name string) (Scenario, error) {
	text, err := files.ReadFile("files/" + name + suffix)
	if err != nil {
		return Scenario{}, fmt.Errorf("there is no scenario %q; there are %s", name, strings.Join(All(), ", "))
	}
	return Parse(name, string(text))
}
