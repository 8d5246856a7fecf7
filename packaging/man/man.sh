#!/bin/bash
# Writes a program's manual pages into a folder: packaging/man/man.sh PROGRAM FOLDER. The page of the configuration is the
# commented sample itself, so that it cannot say anything else.
set -euo pipefail
program=$1 folder=$(realpath "$2")
cd "$(dirname "$0")"


scdoc <"$program.1.scd" | gzip -9n >"$folder/$program.1.gz"
{
	printf '%s.yaml(5)\n\n# NAME\n\n%s.yaml - configuration of %s\n\n' "$program" "$program" "$program"
	printf '# DESCRIPTION\n\n_/etc/%s/config.yaml_ is a YAML file. An unknown key is an error, said with its line. Check a change before it is\nused: *%s check-config*. This is the commented sample that the package installs:\n\n' "$program" "$program"
	printf '```\n'
	cat "../$program.yaml"
	printf '```\n\n# SEE ALSO\n\n*%s*(1)\n' "$program"
} | scdoc | gzip -9n >"$folder/$program.yaml.5.gz"
