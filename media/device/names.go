package device

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Stable names of cameras: udev keeps links in /dev/v4l/by-id (maker, model and serial number: the camera) and by-path
// (the socket it is plugged into). /dev/videoN may be another camera after the next start.

// linkFolders is a table, most stable first.
var linkFolders = []string{"dev/v4l/by-id", "dev/v4l/by-path"}

// videoNodes lists the V4L2 nodes under root in the order of their numbers, with the names that lead to each, most
// stable first. root is "/" but in tests.
func videoNodes(root string) []videoNode {
	paths, _ := filepath.Glob(filepath.Join(root, "dev/video*")) // fails only for a bad pattern
	var nodes []videoNode
	for _, path := range paths {
		nodes = append(nodes, videoNode{path: path})
	}
	slices.SortFunc(nodes, func(a, b videoNode) int {
		return cmp.Or(cmp.Compare(len(a.path), len(b.path)), cmp.Compare(a.path, b.path))
	})
	for _, folder := range linkFolders {
		links, _ := filepath.Glob(filepath.Join(root, folder, "*"))
		for _, link := range links {
			node, err := filepath.EvalSymlinks(link)
			if err != nil {
				continue // the camera went away this moment
			}
			for i := range nodes {
				if nodes[i].path == node {
					nodes[i].names = append(nodes[i].names, link)
				}
			}
		}
	}
	return nodes
}

type videoNode struct {
	path  string   // "/dev/video0"
	names []string // links to it
}

// findCamera turns a configured name into a /dev/video node: a path, a name in /dev/v4l/by-id, by-path or /dev. ""
// stands for the first node that captures.
func findCamera(root, name string) (string, error) {
	if name == "" {
		for _, n := range videoNodes(root) {
			if usable(n.path) {
				return n.path, nil
			}
		}
		return "", errors.New("no camera found: plug one in (\"scanside devices\" lists what is there)")
	}
	places := []string{name}
	if !filepath.IsAbs(name) {
		places = places[:0]
		for _, folder := range slices.Concat(linkFolders, []string{"dev"}) {
			places = append(places, filepath.Join(root, folder, name))
		}
	}
	for _, place := range places {
		if node, err := filepath.EvalSymlinks(place); err == nil {
			return node, nil
		}
	}
	return "", fmt.Errorf("camera %s is not plugged in: check its cable, or choose another (there %s)", name, present(videoNodes(root)))
}

// usable says whether a node is a camera with a format that can be used.
func usable(path string) bool {
	n, err := openV4L2(path)
	if err != nil {
		return false
	}
	defer n.Close()
	info, err := n.info()
	if err != nil {
		return false
	}
	_, ok := choose(info.modes, VideoConfig{}.orDefaults())
	return ok
}

// present names what is there, in half a sentence.
func present(nodes []videoNode) string {
	var names []string
	for _, n := range nodes {
		name := n.path
		if len(n.names) > 0 {
			name = filepath.Base(n.names[0])
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return "is none"
	}
	return "are: " + strings.Join(names, ", ")
}
