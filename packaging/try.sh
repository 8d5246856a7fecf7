#!/bin/bash
# Tries two versions of the packages with the real apt, dpkg and rpm, on a Debian with a real systemd that boots in a container
# without any network: install, start, kill -9, a hung program, a full disk, upgrade with a procedure open, a version that is
# refused, downgrade, remove, purge. Needs root. Times are printed and decide nothing.
#
#	packaging/try.sh FOLDER    FOLDER holds the packages 1.0.0 and 1.0.1 of both programs
set -euo pipefail
packages=$(realpath "$1")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/scanside/container
bookworm=systemd,systemd-sysv,dbus,udev,procps,iproute2,curl,ca-certificates,rpm,libasound2,libopenh264-7,libopus0,libturbojpeg0,libwebrtc-audio-processing1,libstdc++6

say() { printf '\n== %s\n' "$*"; }
fail() {
	echo "FAILED: $*" >&2
	inside 'journalctl -b --no-pager -n 40 -u scanside -u scanside-gateway' >&2 || true
	exit 1
}

if [ ! -e "$cache/complete" ]; then
	say "a minimal Debian, once"
	rm -rf "$cache"
	mkdir -p "$(dirname "$cache")"
	apt-get indextargets --no-release-info --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		grep -E ' bookworm(-[a-z]+)? main$' | sort -u |
		mmdebstrap --quiet --variant=minbase --mode=root --format=directory --aptopt='APT::Install-Recommends "false"' \
			--include=$bookworm bookworm "$cache" -
	: >"$cache/etc/machine-id"
	rm -f "$cache"/etc/apt/sources.list "$cache"/etc/apt/sources.list.d/* # what is installed must be enough
	touch "$cache/complete"
fi

log=$(mktemp)
systemd-nspawn --quiet --directory="$cache" --volatile=overlay --boot --register=no --keep-unit --private-network \
	--machine="scanside-$$" --bind-ro="$packages:/packages" >"$log" 2>&1 </dev/null &
nspawn=$!
leader=
finish() {
	kill "$nspawn" 2>/dev/null || true # it shuts the container down
	wait "$nspawn" 2>/dev/null || true
	rm -f "$log" "$log.said"
}
trap finish EXIT

inside() { nsenter --target "$leader" --all -- /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive /bin/sh -c "$1"; }
until_true() { # SECONDS WHAT COMMAND: waits, and prints how long
	local began=$EPOCHREALTIME end=$((SECONDS + $1))
	until inside "$3" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || fail "$2: not within $1 s"
		sleep 0.1
	done
	awk -v a="$began" -v b="$EPOCHREALTIME" -v what="$2" 'BEGIN { printf "   %-58s %5.1f s\n", what, b - a }'
}
pid() { inside "systemctl show -P MainPID ${1:-scanside}"; }
version() { inside "${1:-scanside} --version"; }
is() { [ "$2" = "$3" ] || fail "$1: $2, not $3"; }
# Commands on the box speak to the agent with the key of its console.
api() { inside "curl -sS --header \"Authorization: Bearer \$(cat /var/lib/scanside/console-key)\" $1 http://127.0.0.1:8480/api/v1/$2"; }
procedure() { api "-f -d open=$1" procedure; }
procedure_says() { api "-d open=true" procedure; }
says() { api -f status | grep -q "\"$1\""; }
verify() { inside 'scanside verify /var/lib/scanside/audit' | tail -1 | sed 's/^/   /'; }
page='curl -sSf -o /dev/null http://127.0.0.1:8480/healthz'

began=$EPOCHREALTIME
for _ in $(seq 600); do
	leader=$(pgrep -P "$nspawn" | head -1) && [ -n "$leader" ] && inside 'systemctl is-system-running --wait' >/dev/null 2>&1 && break
	[ -n "$leader" ] && inside 'systemctl is-system-running' 2>/dev/null | grep -q degraded && break
	sleep 0.1
done
[ -n "$leader" ] || { cat "$log"; fail "the container did not boot"; }
awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "   the container is up after %.1f s\n", b - a }'

say "install 1.0.0: nothing starts"
inside 'apt-get install -y -qq /packages/scanside_1.0.0_amd64.deb' | tail -3
is "the version" "$(version)" 1.0.0
inside 'systemctl is-active scanside || systemctl is-enabled scanside' >/dev/null && fail "it was started, or enabled"
inside 'id scanside; stat -c "%a %U:%G %n" /etc/scanside/secrets' | sed 's/^/   /'

say "configure and start"
inside 'cat > /etc/scanside/config.yaml' <<'END'
site: mri-2
far_end: {url: "https://gateway.invalid", token_file: /etc/scanside/secrets/site-token}
uplinks: [{name: primary, interface: host0}, {name: cellular, interface: host1}]
camera: {device: test}
microphone: {device: test}
loudspeaker: {device: none}
END
inside 'echo token-token-token-token > /etc/scanside/secrets/site-token; chgrp scanside /etc/scanside/secrets/site-token; chmod 640 /etc/scanside/secrets/site-token
runuser -u scanside -- scanside check-config --config /etc/scanside/config.yaml' | sed 's/^/   /'
written=$(inside 'sha256sum < /etc/scanside/config.yaml')
until_true 60 "systemctl enable --now, to READY" 'systemctl enable --quiet --now scanside'
until_true 30 "and its page answers" "$page"
inside 'systemctl show -P StatusText scanside; systemd-analyze security --no-pager scanside | tail -1' | sed 's/^/   /'

say "kill -9"
was=$(pid)
inside "kill -9 $was"
until_true 60 "another process answers on the page" "[ \$(systemctl show -P MainPID scanside) != $was ] && $page"
verify

say "hung: SIGSTOP, until the watchdog of 20 s has put another in its place"
was=$(pid)
inside "kill -STOP $was"
until_true 120 "another process answers on the page" "[ \$(systemctl show -P MainPID scanside) != $was ] && [ \$(systemctl show -P MainPID scanside) != 0 ] && $page"
verify

say "full disk: 2 MB of state"
inside 'systemctl stop scanside; mount -t tmpfs -o size=2m,mode=700,uid=$(id -u scanside) none /var/lib/scanside; systemctl start scanside'
until_true 30 "it runs on it" "$page"
was=$(pid)
inside 'dd if=/dev/zero of=/var/lib/scanside/fill bs=4k 2>/dev/null || true'
procedure_says >"$log.said"
grep -q 'would not be after a restart' "$log.said" || fail "what could not be kept is not said: $(cat "$log.said")"
echo "   it says: $(sed 's/.*"detail":"//; s/".*//' "$log.said")"
inside 'rm /var/lib/scanside/fill'
procedure false || true
procedure true && procedure false || fail "with room again, it is not kept"
is "the process" "$(pid)" "$was"
verify
inside 'systemctl stop scanside; umount /var/lib/scanside; systemctl start scanside'
until_true 30 "back on the real disk" "$page"

say "upgrade to 1.0.1 while a procedure is open: it waits"
procedure true
was=$(pid)
inside 'apt-get install -y -qq /packages/scanside_1.0.1_amd64.deb' | tail -2
is "the version on disk" "$(version)" 1.0.1
sleep 25
is "the process" "$(pid)" "$was"
says update-waiting || fail "the page does not say that a version waits"
procedure false
until_true 60 "the procedure is closed; the new version has taken over" "[ \$(systemctl show -P MainPID scanside) != $was ] && $page"
is "the configuration" "$(inside 'sha256sum < /etc/scanside/config.yaml')" "$written"
says update-waiting && fail "the mark outlived the restart"
verify

say "downgrade to 1.0.0 with a configuration that it does not take: refused, and 1.0.1 stays"
was=$(pid)
inside 'sed "s/^site:/sight:/" -i /etc/scanside/config.yaml'
inside 'apt-get install -y -qq --allow-downgrades /packages/scanside_1.0.0_amd64.deb 2>&1' >"$log.said" && fail "it was taken"
grep -E 'does not take|in place again' "$log.said" | sed 's/^/   /' || fail "it is not said"
is "the version on disk" "$(version)" 1.0.1
is "the process" "$(pid)" "$was"
inside 'sed "s/^sight:/site:/" -i /etc/scanside/config.yaml; dpkg --configure scanside' | tail -1
is "the version on disk, the configuration corrected" "$(version)" 1.0.0
until_true 60 "the other version has taken over" "[ \$(systemctl show -P MainPID scanside) != $was ] && $page"
verify

say "remove: not while a procedure is open"
procedure true
inside 'apt-get remove -y -qq scanside 2>&1' >/dev/null && fail "it was removed"
inside 'systemctl is-active --quiet scanside' || fail "it was stopped"
procedure false
inside 'apt-get remove -y -qq scanside' | tail -1
inside '[ ! -e /usr/bin/scanside ] && [ -e /etc/scanside/config.yaml ] && ! systemctl cat scanside >/dev/null 2>&1 && [ ! -L /etc/systemd/system/multi-user.target.wants/scanside.service ]' || fail "something is left, or gone that should not be"
say "purge: all goes but the audit log"
inside 'dpkg --purge scanside 2>&1; ls -A /var/lib/scanside; [ ! -e /etc/scanside ]' | sed 's/^/   /'

say "rpm: install, upgrade, erase (--nodeps: what it needs is here by Debian's packages)"
inside 'rpm -i --nodeps /packages/scanside-1.0.0-1.x86_64.rpm'
inside 'cat > /etc/scanside/config.yaml; mkdir -p /etc/scanside/secrets; echo token-token-token-token > /etc/scanside/secrets/site-token' <<'END'
site: mri-2
far_end: {url: "https://gateway.invalid", token_file: /etc/scanside/secrets/site-token}
uplinks: [{name: primary, interface: host0}, {name: cellular, interface: host1}]
camera: {device: test}
microphone: {device: test}
loudspeaker: {device: none}
END
inside 'systemctl enable --quiet --now scanside'
was=$(pid)
inside 'rpm -U --nodeps /packages/scanside-1.0.1-1.x86_64.rpm'
is "the version on disk" "$(version)" 1.0.1
until_true 60 "the new version has taken over" "[ \$(systemctl show -P MainPID scanside) != $was ] && $page"
inside 'grep -q "host1" /etc/scanside/config.yaml' || fail "the configuration was overwritten"
was=$(pid)
inside 'rpm -U --nodeps --oldpackage /packages/scanside-1.0.0-1.x86_64.rpm'
until_true 60 "and the one before, as a downgrade" "[ \$(systemctl show -P MainPID scanside) != $was ] && $page"
is "the version on disk" "$(version)" 1.0.0
inside 'rpm -e scanside; [ ! -e /usr/bin/scanside ] && ! systemctl is-active --quiet scanside' || fail "something is left"

say "the gateway: install, start, upgrade, purge"
inside 'apt-get install -y -qq /packages/scanside-gateway_1.0.0_amd64.deb' | tail -1
inside 'systemctl enable --quiet --now scanside-gateway'
until_true 30 "its console answers" 'curl -skf -o /dev/null https://127.0.0.1/'
was=$(pid scanside-gateway)
inside 'apt-get install -y -qq /packages/scanside-gateway_1.0.1_amd64.deb' | tail -1
until_true 60 "nobody looks in: the new version has taken over" "[ \$(systemctl show -P MainPID scanside-gateway) != $was ] && curl -skf -o /dev/null https://127.0.0.1/"
is "the version on disk" "$(version scanside-gateway)" 1.0.1
inside 'dpkg --purge scanside-gateway 2>&1; [ ! -e /etc/scanside-gateway ] && [ ! -e /var/lib/scanside-gateway ]' || fail "something is left"
printf '\nAll as it should be, after %d s.\n' $SECONDS
