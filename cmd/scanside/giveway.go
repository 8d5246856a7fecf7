package main

import (
	"os"
	"path/filepath"
)

// giveWay is the file by which a package's script asks the service to end when the room is free. It stands in the folder that
// systemd gives to the service, and goes with it at every stop; without systemd nobody asks.
func giveWay() string {
	if dir := os.Getenv("RUNTIME_DIRECTORY"); dir != "" {
		return filepath.Join(dir, "restart-when-free")
	}
	return ""
}
