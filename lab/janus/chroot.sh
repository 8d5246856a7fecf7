#!/bin/bash
# chroot.sh DIR: a Debian root with janus and simple-whip-server in DIR, for they want the distribution's own nodejs, which a
# host may have replaced. Takes the mirror from this machine's apt. About a minute and 500 MB; complete when DIR is there.
set -euo pipefail
dir=$1
[ ! -e "$dir" ] || exit 0
building=$(mktemp -d "$dir.building.XXXXXX")
trap 'rm -rf --one-file-system "$building"' EXIT
mirror=$(apt-get indextargets --no-release-info --format '$(CREATED_BY) $(RELEASE) $(COMPONENT) $(REPO_URI)' |
	awk '$1 == "Packages" && $2 == "bookworm" && $3 == "main" { print $4; exit }')
[ -n "$mirror" ] || { echo "this machine's apt has no source for Debian bookworm main: add one and run apt-get update" >&2; exit 1; }
echo "making a Debian root with janus and simple-whip-server in $dir (once) …" >&2
printf 'deb %s bookworm main\n' "$mirror" | mmdebstrap --quiet --variant=minbase --mode=root --format=directory \
	--include=janus,simple-whip-server,nodejs \
	--aptopt='APT::Install-Recommends false' --aptopt='Acquire::Languages "none"' \
	--dpkgopt=path-exclude=/usr/share/doc/* --dpkgopt=path-exclude=/usr/share/man/* --dpkgopt=path-exclude=/usr/share/locale/* \
	bookworm "$building" - >&2
chmod 755 "$building"
mv "$building" "$dir"
