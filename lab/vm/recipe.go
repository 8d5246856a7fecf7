package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// recipeFiles is all that decides what the guest is made of, beside the commands in image.go.
//
//go:embed recipe image.go
var recipeFiles embed.FS

// suite is the guest's Debian release: the one the box is shipped with.
const suite = "bookworm"

// recipeHash names the image in the cache: another recipe, another image.
func recipeHash() (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, suite)
	err := fs.WalkDir(recipeFiles, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := recipeFiles.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n", path, len(content))
		h.Write(content)
		return err
	})
	return fmt.Sprintf("%x", h.Sum(nil)[:8]), err
}

// recipePackages lists the packages that are added to a minimal Debian.
func recipePackages() ([]string, error) {
	text, err := recipeFiles.ReadFile("recipe/packages")
	if err != nil {
		return nil, err
	}
	var names []string
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		name, _, _ := strings.Cut(lines.Text(), "#")
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names, nil
}

// writeRecipeRoot lays the recipe's files down in dir, as they stand in the guest's root.
func writeRecipeRoot(dir string) error {
	const root = "recipe/root"
	return fs.WalkDir(recipeFiles, root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, strings.TrimPrefix(path, root))
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		content, err := recipeFiles.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, content, 0o644)
	})
}
