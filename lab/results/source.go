package results

import (
	"strings"
	"time"
)

// Source is a command that prints figures, in two forms.
type Source struct {
	Name        string
	Quick, Long Command // the same where one does for both
	LongOnly    bool    // not part of a quick run
	Virtual     bool    // counts, or virtual time: what else the machine does cannot change its figures
}

// Command is one way to take figures.
type Command struct {
	Make  string        // what a person types
	Args  []string      // {lab} stands for this program
	Limit time.Duration // after which it is ended, and what it has printed by then counts
}

// of is the command of a form.
func (s Source) of(long bool) Command {
	if long {
		return s.Long
	}
	return s.Quick
}

const (
	usual  = 6 * time.Minute // the longest of the quick ones takes two on a quiet machine
	slowly = 25 * time.Minute
)

// Sources lists them in the order in which they run.
func Sources() []Source {
	return []Source{
		benchmark("engine", "./failover", "EngineEcho|EngineReport"),
		benchmark("media", "./media", "^(BenchmarkFanout|BenchmarkMerger|BenchmarkReference)$"),
		virtual(falseDowns()),
		virtual(sized("soak", "DAYS", "days", "10", "30")),
		virtual(story("blackhole-primary", "bubble")),
		virtual(sized("g3", "CUTS", "cuts", "8", "40")),
		virtual(figure("g9")),
		virtual(sized("g10", "MINUTES", "minutes", "4", "30")),
		virtual(figure("g11")),
		virtual(figure("g12")),
		virtual(figure("g13")),
		virtual(figure("g14")),
		sized("references", "TURNS", "turns", "1", "5"),
		story("blackhole-primary", "netns"),
		story("blackhole-primary-ondoubt", "netns"),
		longOnly(story("blackhole-cellular", "netns")),
		sized("g15", "TURNS", "turns", "1", "3"),
		sized("g16", "TURNS", "turns", "5", "10"),
		figure("mouth-to-ear"),
		figure("recovery"),
		longOnly(figure("firewall")),
		longOnly(figure("soak-netns")),
	}
}

// figure is a command of the lab that takes no sizes.
func figure(name string) Source {
	c := Command{"make " + name, []string{"{lab}", name}, usual}
	long := c
	long.Limit = slowly
	return Source{Name: name, Quick: c, Long: long}
}

// sized is one that takes a size: so much in a quick run, so much in a long one.
func sized(name, variable, flag, quick, long string) Source {
	of := func(size string, limit time.Duration) Command {
		return Command{"make " + name + " " + variable + "=" + size, []string{"{lab}", name, "--" + flag + "=" + size}, limit}
	}
	return Source{Name: name, Quick: of(quick, usual), Long: of(long, slowly)}
}

// falseDowns tries one cadence of probes in a quick run, and all of them in a long one.
func falseDowns() Source {
	s := figure("g8")
	s.Quick = Command{"go run ./lab/cmd/lab g8 --per-second=20", []string{"{lab}", "g8", "--per-second=20"}, usual}
	return s
}

// story is a scenario.
func story(name, world string) Source {
	c := Command{"make scenario S=" + name + " W=" + world, []string{"{lab}", "scenario", "-s", name, "-w", world, "--no-chromium"}, usual}
	return Source{Name: name + "-" + world, Quick: c, Long: c}
}

// benchmark is one of Go's own.
func benchmark(name, folder, pattern string) Source {
	args := []string{"-run=^$", "-bench=" + pattern, "-benchmem", folder}
	c := Command{"go test '" + strings.Join(args, "' '") + "'", append([]string{"go", "test"}, args...), usual}
	return Source{Name: name, Quick: c, Long: c}
}

func virtual(s Source) Source { s.Virtual = true; return s }

func longOnly(s Source) Source { s.LongOnly = true; return s }
