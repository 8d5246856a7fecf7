// Package results writes docs/results.md: every figure of the targets with the command that prints it, beside what others do
// in the same run. What a command printed is kept in a folder, so that one figure can be taken anew without the others; a
// figure whose command has not run, or failed, is called not measured and why.
package results
