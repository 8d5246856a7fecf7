package scenario

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"scanside/lab/emu"
)

// TracesEnv names the folder with recorded traces of real uplinks. They do not come with the program; a story that wants
// one cannot be played without.
const TracesEnv = "SCANSIDE_TRACES"

func tracePath(name string) (string, error) {
	folder := os.Getenv(TracesEnv)
	if folder == "" {
		return "", fmt.Errorf("the recorded trace %s is wanted, but %s names no folder with traces", name, TracesEnv)
	}
	return filepath.Join(folder, name), nil
}

func readTrace(name string) (*emu.Trace, error) {
	path, err := tracePath(name)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t, err := emu.ReadTrace(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// Missing says which recorded traces the story needs and this machine does not have; nil when it can be played.
func (s Scenario) Missing() error {
	var errs []error
	for _, e := range s.Events {
		if e.Verb != Trace {
			continue
		}
		path, err := tracePath(e.What)
		if err == nil {
			_, err = os.Stat(path)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
