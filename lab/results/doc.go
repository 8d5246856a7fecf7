// Package results writes docs/results.md: every figure of the targets with the command that prints it, beside what others do
// in the same run. A quick run takes less of each than a long one. What a command printed is kept in a folder with how it
// was run, so that one figure can be taken anew without the others; a figure whose command has not run, or printed nothing,
// is called not measured and why, and one whose own expectations did not hold says so. Every command has a limit.
package results
