package scanside

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrows is the whole table of imports inside this module: a package may import what stands behind it and nothing else.
// Add an arrow here first, with its reason in the commit.
var arrows = map[string][]string{
	"cmd/scanside":         {"access", "agent", "agent/status", "argon", "audit", "completion", "devices", "diagnosis", "doctor", "failover", "gateway", "link", "media", "media/device", "media/room", "lab/emu", "support", "systemd"},
	"cmd/scanside-gateway": {"completion", "gateway"},
	"agent":                {"access", "agent/status", "audit", "bandwidth", "budget", "config", "diagnosis", "doctor", "drill", "examination", "failover", "farend", "history", "installation", "link", "machine", "media", "media/content", "selfsigned", "selftest", "supervision", "support", "viewing"},
	"agent/status":         {"access", "support"},
	"gateway":              {"argon", "config", "gateway/console", "link", "media", "media/content", "selfsigned"},
	"gateway/console":      {},
	"access":               {"argon"},
	"argon":                {},
	"selfsigned":           {},
	"audit":                {},
	"bandwidth":            {},
	"completion":           {},
	"budget":               {},
	"config":               {},
	"devices":              {},
	"diagnosis":            {},
	"doctor":               {"diagnosis"},
	"drill":                {},
	"examination":          {"diagnosis", "link"},
	"installation":         {},
	"link":                 {"media", "media/content"},
	"machine":              {"doctor"},
	"media/device":         {"devices", "media", "media/content"},
	"media/synthetic":      {"media"},
	"media":                {"media/content", "media/playout"},
	"media/playout":        {},
	"media/room":           {"media", "media/device", "media/playout"},
	"media/content":        {},
	"failover":             {},
	"farend":               {"failover"},
	"history":              {},
	"selftest":             {},
	"supervision":          {},
	"packaging/copyright":  {},
	"support":              {},
	"systemd":              {},
	"viewing":              {},
}

// stdOnly packages import the standard library alone: the pure core so that a stranger can read it without learning a
// library, the pages so that they can be served by anything.
var stdOnly = []string{"bandwidth", "budget", "devices", "diagnosis", "doctor", "drill", "failover", "farend", "history", "installation", "media/content", "media/playout", "selftest", "supervision", "support", "viewing", "agent/status", "gateway/console"}

// pure packages decide; time reaches them as an argument, so that a recorded run replays to the same decisions.
var pure = []string{"bandwidth", "budget", "devices", "diagnosis", "doctor", "drill", "failover", "farend", "history", "installation", "media/content", "media/playout", "selftest", "supervision", "viewing"}

// cgoOnlyIn names the importers of each library that needs C.
var cgoOnlyIn = map[string][]string{
	"C":                            {"media/device", "media/room"},
	"github.com/pion/mediadevices": {"media/device"},
	"github.com/gen2brain/malgo":   {"media/device"},
	"github.com/hraban/opus":       {"media/device", "media/room"},
}

type source struct {
	pkg, path string
	file      *ast.File
}

func sources(t *testing.T, fset *token.FileSet) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "build" || d.Name() == "testdata" || (strings.HasPrefix(d.Name(), ".") && path != ".")) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			return err
		}
		all = append(all, source{filepath.ToSlash(filepath.Dir(path)), path, f})
		return nil
	})
	if err != nil {
		t.Fatalf("reading the module's sources: %v", err)
	}
	return all
}

func imports(f *ast.File) []string {
	var out []string
	for _, spec := range f.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		out = append(out, p)
	}
	return out
}

func isTest(path string) bool { return strings.HasSuffix(path, "_test.go") }

// Imports point one way.
func TestArrows(t *testing.T) {
	fset := token.NewFileSet()
	for _, s := range sources(t, fset) {
		if isTest(s.path) || s.pkg == "." || s.pkg == "lab" || strings.HasPrefix(s.pkg, "lab/") {
			continue // tests and the lab may look at everything
		}
		allowed, known := arrows[s.pkg]
		if !known {
			t.Errorf("%s: package %s is not in the arrow table", s.path, s.pkg)
			continue
		}
		for _, imp := range imports(s.file) {
			if in, ok := strings.CutPrefix(imp, "scanside/"); ok && !slices.Contains(allowed, in) {
				t.Errorf("%s: imports %s; the arrow %s → %s is not in the table", s.path, imp, s.pkg, in)
			}
			if slices.Contains(stdOnly, s.pkg) && strings.Contains(strings.SplitN(imp, "/", 2)[0], ".") {
				t.Errorf("%s: imports %s; %s uses the standard library alone", s.path, imp, s.pkg)
			}
		}
	}
}

// What needs C is imported in one place, so that everything else builds and tests without it.
func TestLibrariesInOnePlace(t *testing.T) {
	fset := token.NewFileSet()
	for _, s := range sources(t, fset) {
		for _, imp := range imports(s.file) {
			for lib, homes := range cgoOnlyIn {
				if (imp == lib || strings.HasPrefix(imp, lib+"/")) && !slices.Contains(homes, s.pkg) {
					t.Errorf("%s: imports %s, which belongs to %s alone", s.path, imp, strings.Join(homes, " and "))
				}
			}
		}
	}
}

// The pure packages have no clock, no goroutine, no lock, no I/O, and never range over a map (its order is random, and
// the same trace must give the same decisions, byte for byte).
func TestPure(t *testing.T) {
	fset := token.NewFileSet()
	files := map[string][]*ast.File{}
	for _, s := range sources(t, fset) {
		if slices.Contains(pure, s.pkg) && !isTest(s.path) {
			files[s.pkg] = append(files[s.pkg], s.file)
		}
	}
	for _, pkg := range pure {
		if len(files[pkg]) == 0 {
			t.Errorf("package %s has no files", pkg)
		}
		info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
		conf := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
		if _, err := conf.Check("scanside/"+pkg, fset, files[pkg], info); err != nil {
			t.Fatalf("checking %s: %v", pkg, err)
		}
		for _, f := range files[pkg] {
			for _, imp := range imports(f) {
				for _, forbidden := range []string{"sync", "os", "net", "log", "math/rand", "context", "runtime", "io/fs"} {
					if imp == forbidden || strings.HasPrefix(imp, forbidden+"/") {
						t.Errorf("%s imports %s: deciding code does nothing but decide", fset.Position(f.Pos()).Filename, imp)
					}
				}
			}
			ast.Inspect(f, func(n ast.Node) bool { return inspectPure(t, fset, info, n) })
		}
	}
}

func inspectPure(t *testing.T, fset *token.FileSet, info *types.Info, n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GoStmt:
		t.Errorf("%s: go statement in a pure package", fset.Position(n.Pos()))
	case *ast.RangeStmt:
		if _, isMap := info.TypeOf(n.X).Underlying().(*types.Map); isMap {
			t.Errorf("%s: range over a map in a pure package", fset.Position(n.Pos()))
		}
	case *ast.SelectorExpr:
		obj := info.Uses[n.Sel]
		if obj == nil || obj.Pkg() == nil || obj.Pkg().Path() != "time" {
			return true
		}
		if clocks := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}; slices.Contains(clocks, obj.Name()) {
			if _, method := obj.(*types.Func); method && obj.(*types.Func).Signature().Recv() == nil {
				t.Errorf("%s: time.%s in a pure package; take the instant as an argument", fset.Position(n.Pos()), obj.Name())
			}
		}
	}
	return true
}

// No state at package level and no init outside cmd and the lab: main builds everything and passes it down. Allowed are
// errors, embedded files, and tables that nothing writes (array, slice and map literals).
func TestNoPackageState(t *testing.T) {
	fset := token.NewFileSet()
	for _, s := range sources(t, fset) {
		if isTest(s.path) || strings.HasPrefix(s.pkg, "cmd/") || strings.HasPrefix(s.pkg, "lab") {
			continue
		}
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.Name == "init" && d.Recv == nil {
					t.Errorf("%s: func init", fset.Position(d.Pos()))
				}
			case *ast.GenDecl:
				if d.Tok == token.VAR && !allowedVar(s, d) {
					t.Errorf("%s: package-level var", fset.Position(d.Pos()))
				}
			}
		}
	}
}

// allowedVar knows errors (errors.New, an Err name), embedded files, interface checks (var _ I = T{}) and constant tables
// of array or slice literals.
func allowedVar(s source, d *ast.GenDecl) bool {
	if embedded(d) {
		return true
	}
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		for i, name := range v.Names {
			if name.Name == "_" || strings.HasPrefix(name.Name, "Err") || strings.HasPrefix(name.Name, "err") {
				continue
			}
			if i < len(v.Values) && constantTable(v.Values[i]) {
				continue
			}
			return false
		}
	}
	return true
}

func embedded(d *ast.GenDecl) bool {
	return d.Doc != nil && slices.ContainsFunc(d.Doc.List, func(c *ast.Comment) bool {
		return strings.HasPrefix(c.Text, "//go:embed")
	})
}

func constantTable(e ast.Expr) bool {
	lit, ok := e.(*ast.CompositeLit)
	if !ok {
		return false
	}
	switch lit.Type.(type) {
	case *ast.ArrayType, *ast.MapType:
		return true
	}
	return false
}

// The product measures; it never claims. (Rules of the field: never print the word.)
func TestNeverClaims(t *testing.T) {
	fset := token.NewFileSet()
	for _, s := range sources(t, fset) {
		if s.path == "arch_test.go" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && strings.Contains(strings.ToLower(lit.Value), "compliant") && !isTest(s.path) {
				t.Errorf("%s: %q claims compliance", fset.Position(lit.Pos()), lit.Value)
			}
			return true
		})
	}
}
