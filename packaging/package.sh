#!/bin/bash
# Builds the packages of one architecture into build/package, or OUT: packaging/package.sh VERSION amd64|arm64 [deb|rpm …]
# The same commit gives the same bytes, on any machine with the same compiler: all times are the commit's.
set -euo pipefail
cd "$(dirname "$0")/.."

export VERSION=$1 ARCH=$2
formats=("${@:3}")
[ ${#formats[@]} -gt 0 ] || formats=(deb rpm)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export MAINTAINER=${MAINTAINER:-$(git log -1 --format='%an <%ae>')}
BUILT=$(date -u -d "@$SOURCE_DATE_EPOCH" +%FT%TZ)

if [ "$ARCH" = arm64 ] && [ "$(dpkg --print-architecture)" != arm64 ]; then
	# shellcheck source=packaging/arm64.sh
	. packaging/arm64.sh
fi
export GOOS=linux GOARCH=$ARCH
out=${OUT:-build/package}
mkdir -p "$out"

uname_of() { case $1 in amd64) echo x86_64 ;; arm64) echo aarch64 ;; esac; }

compile() { # PROGRAM CGO
	CGO_ENABLED=$2 go build -trimpath -ldflags "-s -w -buildid= -X main.version=$VERSION" -o "$STAGE/$1" "./cmd/$1"
}

# What changed, in Debian's form: the subjects of the last hundred commits.
changelog() {
	printf '%s (%s) stable; urgency=medium\n\n' "$1" "$VERSION"
	git log -100 --format='%w(78,2,4)* %s'
	printf '\n -- %s  %s\n' "$MAINTAINER" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")"
}

for program in scanside scanside-gateway; do
	export STAGE=build/stage/$ARCH/$program
	[ -n "${OUT:-}" ] || rm -f "$out/$program"[_-][0-9]*"$ARCH.deb" "$out/$program"-[0-9]*"$(uname_of "$ARCH").rpm" # of another commit
	rm -rf "$STAGE"
	mkdir -p "$STAGE"
	case $program in
	scanside)
		compile "$program" 1
		free="no procedure is open and nobody looks in"
		;;
	scanside-gateway)
		compile "$program" 0
		free="nobody looks into any room"
		;;
	esac
	env -u GOOS -u GOARCH -u CC -u CXX go run ./packaging/copyright "$STAGE/$program" "$STAGE"
	packaging/man/man.sh "$program" "$STAGE"
	for shell in bash zsh fish; do
		"build/$program" completion "$shell" >"$STAGE/completion.$shell"
	done
	changelog "$program" | gzip -9n >"$STAGE/changelog.gz"
	for script in preinst postinst prerm postrm; do
		sed "s/@NAME@/$program/g; s/@FREE@/$free/" "packaging/maintainer/$script" >"$STAGE/$script"
	done
	sed "s|\${STAGE}|$STAGE|; s|\${BUILT}|$BUILT|" "packaging/$program.nfpm.yaml" >"$STAGE/nfpm.yaml"
	for format in "${formats[@]}"; do
		build/tools/nfpm package --config "$STAGE/nfpm.yaml" --packager "$format" --target "$out/"
	done
done
