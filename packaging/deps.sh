#!/bin/bash
# Installs the Debian packages named on the command line that are not installed yet, saying which.
set -eu
missing=()
for p in "$@"; do
	dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
done
[ ${#missing[@]} -eq 0 ] && exit 0
echo "These Debian packages are needed and not installed yet: ${missing[*]}"
if [ "$(id -u)" = 0 ]; then
	run=()
elif command -v sudo >/dev/null; then
	run=(sudo)
else
	echo "Install them as root and try again:  apt-get install ${missing[*]}" >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
"${run[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1 || {
	"${run[@]}" apt-get update -qq
	"${run[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
