// Package config reads a program's YAML file into its Config struct and says everything that is wrong with it at once:
// each mistake with its line and a caret, unknown keys with the key that was probably meant. The library that parses YAML
// (goccy/go-yaml) stops at the first mistake when it decodes and prints the lines around it, which may hold a hash that
// belongs in no log; therefore the tree it gives is walked here.
//
// The caller's struct names its keys by yaml tags ("-": not in the file). Fields may be strings, booleans, whole numbers,
// time.Duration, anything that is an encoding.TextUnmarshaler, structs of these, and slices of these. What a file leaves
// out keeps the value that the struct came with.
package config
