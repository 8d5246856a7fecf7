# scanside: `make demo` runs it, `make test` proves it. `make help` lists the rest.

SHELL := /bin/bash
GO ?= go

# Debian's own libopus and libopenh264 (patched, and without the bundled copies' need for AVX). mediadevices includes
# <openh264/codec_api.h>, Debian installs <wels/codec_api.h>: a folder with a link brings the two together.
INCLUDE := $(CURDIR)/build/include
export GOFLAGS := -tags=dynamic,nolibopusfile -buildvcs=false
export CGO_CFLAGS := -O2 -g -I$(INCLUDE)
export CGO_CXXFLAGS := -O2 -g -I$(INCLUDE)

# Recorded links for the scenarios that want one; without them these are skipped, and say so.
export SCANSIDE_TRACES ?= $(wildcard $(abspath ../shared/traces))

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -X main.version=$(VERSION)

RUN_PACKAGES  := ca-certificates gcc g++ libc6-dev pkg-config libopus-dev libopenh264-dev libturbojpeg0-dev libwebrtc-audio-processing-dev libasound2
TEST_PACKAGES := chromium dnsmasq-base espeak-ng ffmpeg iproute2 nftables pulseaudio pulseaudio-utils libasound2-plugins
# Debian starts coturn as a service where there is systemd; the lab needs only the program: systemctl disable --now coturn.
LAB_PACKAGES  := coturn tinyproxy-bin nftables
ECHO_PACKAGES := espeak-ng
REFERENCE_PACKAGES := rist-tools
VM_PACKAGES   := qemu-system-x86 mmdebstrap e2fsprogs
# Likewise starts as a service; only promtool is needed.
RULES_PACKAGES := prometheus
PROMETHEUS_PACKAGES := prometheus prometheus-node-exporter iproute2
JANUS_PACKAGES := mmdebstrap ffmpeg iproute2
PACKAGE_PACKAGES := lintian rpm scdoc
TRY_PACKAGES  := mmdebstrap systemd-container
ARM64_PACKAGES := mmdebstrap gcc-aarch64-linux-gnu g++-aarch64-linux-gnu

# Builds .deb and .rpm from one description. A tool: nothing of it is in the programs. Newer ones need a module that the Go
# module proxy does not have.
NFPM := github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0
# A release is a tag; between two, time and commit.
PACKAGE_VERSION ?= $(patsubst v%,%,$(shell git describe --tags --exact-match 2>/dev/null || git log -1 --format=0.1.0~%cd.g%h --date=format-local:%Y%m%d%H%M%S))

S ?= blackhole-primary
W ?= bubble

.PHONY: help demo build test axe check bench micro scenarios scenario lab g3 g4 g5 g6 g8 g9 g10 g11 g12 g13 g14 g15 g16 soak encoders takeover soak-devices soak-netns page shots \
	content lipsync mouth-to-ear references recovery firewall janus rules units rules-deps vm package package-amd64 package-arm64 lint-package package-deps \
	try-package try-deps arm64-deps deps test-deps lab-deps reference-deps janus-deps vm-deps clean

help:
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: deps build ## agent and gateway in one process, two emulated uplinks, both pages
	@build/scanside demo $(DEMO)

build: $(INCLUDE)/openh264 ## both programs into build/
	@mkdir -p build
	$(GO) build -trimpath -ldflags "$(LDFLAGS)" -o build/scanside ./cmd/scanside
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(LDFLAGS)" -o build/scanside-gateway ./cmd/scanside-gateway

$(INCLUDE)/openh264:
	@mkdir -p $(INCLUDE) && ln -sfn /usr/include/wels $@

test: test-deps axe build ## everything that needs no root: unit, golden, fuzz seeds, in-memory world, real Chromium
	$(GO) test -timeout 20m ./lab/bubble ./media/device ./... # the longest first: their minutes pass beside the others'

check: $(INCLUDE)/openh264 ## the gate before every push
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt would change:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) mod tidy -diff
	$(GO) test -short -race . ./access ./config ./failover/... ./supervision/... ./viewing ./devices ./selftest ./farend ./budget ./bandwidth ./diagnosis ./doctor ./drill ./installation ./machine ./examination ./media ./media/playout ./media/synthetic ./link/... ./gateway/... ./audit ./agent/... ./lab/emu/... ./lab/scenario/...

bench: test-deps reference-deps lab-deps build ## (root) every figure of the targets, beside what others do, into docs/results.md (12 min); BENCH="--long" or "--only NAME"
	$(GO) run ./lab/cmd/lab bench $(BENCH)

micro: $(INCLUDE)/openh264 ## micro-benchmarks: engine, fanout, merger, encoder, a link's leg, the gateway
	$(GO) test -run '^$$' -bench . -benchmem ./failover ./media/... ./link ./gateway ./lab/emu

rules: rules-deps ## the alerts and recording rules of packaging/prometheus, with promtool
	promtool check rules packaging/prometheus/scanside.rules.yaml packaging/prometheus/scanside.alerts.yaml
	cd packaging/prometheus && promtool test rules scanside.test.yaml

.PHONY: dashboard prometheus prometheus-deps
dashboard: ## the Grafana dashboard by Grafana's own schema (a minute at first: the schema's library is built)
	cd lab/grafana && GOFLAGS= $(GO) run . $(CURDIR)/packaging/grafana/scanside.json

prometheus: prometheus-deps build ## (root) real Prometheuses watch a pulled cable, also by remote-write and textfile; FACTOR=1 leaves the alerts' `for` as shipped (4 min)
	@$(GO) run ./lab/cmd/lab prometheus $(if $(FACTOR),--factor $(FACTOR))

units: ## how well systemd confines the units (threshold 2.0 of 10, lower is better)
	@command -v systemd-analyze >/dev/null || { echo "SKIPPED, LOUDLY: no systemd-analyze here; the units were not judged"; exit 0; }; \
	set -o pipefail; systemd-analyze security --offline=true --threshold=20 --no-pager systemd/scanside.service systemd/scanside-gateway.service | grep -i overall

scenarios: ## names of the scenarios
	@$(GO) run ./lab/cmd/lab scenarios

scenario: build ## one scenario: make scenario S=blackhole-primary W=bubble|netns
	@$(GO) run ./lab/cmd/lab scenario -s $(S) -w $(W)

lab: test-deps build ## (root) the scenarios marked for it, or ONLY=name,name, with real binaries in network namespaces, Chromium watching
	$(GO) run ./lab/cmd/lab suite $(if $(ONLY),--only $(ONLY))

g4 g5 g6: g3
g3: $(INCLUDE)/openh264 ## (also g4, g5, g6) 40 cuts of each kind of an uplink that alone carries everything: freeze, detection, way back (in memory)
	@$(GO) run ./lab/cmd/lab g3 $(if $(CUTS),--cuts $(CUTS))

g8: $(INCLUDE)/openh264 ## false rulings of Down in 720 simulated hours of loss and jitter, and on recorded uplinks in SCANSIDE_TRACES=FOLDER (10 min)
	@$(GO) run ./lab/cmd/lab g8

g9: $(INCLUDE)/openh264 ## the way back to the preferred uplink, with doubling patience, and with a procedure open (in memory)
	@$(GO) run ./lab/cmd/lab g9

g10: $(INCLUDE)/openh264 ## voice within 200 ms over two recorded LTE links at once, in SCANSIDE_TRACES=FOLDER (in memory)
	@$(GO) run ./lab/cmd/lab g10 $(if $(MINUTES),--minutes $(MINUTES))

soak: $(INCLUDE)/openh264 ## thirty simulated days of random faults through the engine, invariants after each step; 2 minutes
	@$(GO) run ./lab/cmd/lab soak $(if $(DAYS),--days $(DAYS))

encoders: $(INCLUDE)/openh264 ## processor time and memory of the encoder beside ffmpeg's libx264 ultrafast, and what a camera's frame costs before it, by format
	$(GO) test -count 1 -v -run '^TestEncoders$$' -bench '^BenchmarkDecode' ./media/device -args -figures 2>&1 | grep -E 'of a core|ns/op|^(ok|FAIL|---)'

takeover: $(INCLUDE)/openh264 ## a camera is pulled out beside a second one: when it takes over, when the first returns (in memory)
	$(GO) test -count 1 -v -run '^Test(TakeoverAndReturn|MicrophoneTakeover|NoReturnInProcedure|HungDriverIsLeftBehind)$$' ./media/device | grep -v OpenH264

soak-devices: $(INCLUDE)/openh264 ## simulated hours (HOURS=8) of plugging cameras and microphones in and out, with drivers that hang: nothing may be left behind
	$(GO) test -timeout 60m -count 1 -v -run '^TestSoakDevices$$' ./media/device -args -soak $(or $(HOURS),8)h

soak-netns: build ## (root) ten real minutes of random cuts, never of both uplinks at once, with the real programs
	@$(GO) run ./lab/cmd/lab soak-netns

page: $(INCLUDE)/openh264 ## what the status page weighs, and how long throttled phones take to show the verdict (real Chromium)
	@$(GO) test -count 1 -v -run '^Test(PageWeight|FirstVerdict)$$' ./agent/status -args -figures 2>&1 | grep -E 'bytes in|first verdict|^(ok|FAIL|---)'

shots: test-deps build ## the screenshots of docs/screenshots, taken again from the demo in a real Chromium
	@$(GO) run ./lab/cmd/lab shots --to docs/screenshots

lipsync: test-deps build ## how far apart a flash and a beep of the same moment arrive in a real Chromium
	@$(GO) run ./lab/cmd/lab lipsync

mouth-to-ear: test-deps build ## how late speech is heard, between a physician's real Chromium and the room's loudspeaker and microphone, also while an uplink is cut
	@$(GO) run ./lab/cmd/lab mouth-to-ear

content: $(INCLUDE)/openh264 ## faults of picture and sound in drawn rooms: how soon each is said, and false alarms over simulated hours (HOURS=4)
	@$(GO) run ./lab/cmd/lab content $(if $(HOURS),--hours $(HOURS))

references: test-deps reference-deps ## (root) what others do when an uplink turns into a black hole: duplicator, RIST, pion, Chromium
	@$(GO) run ./lab/cmd/lab references $(if $(TURNS),--turns $(TURNS))

g11: $(INCLUDE)/openh264 ## what a metered uplink costs an hour, idle and in a procedure, counted at its sockets (in memory)
	@$(GO) run ./lab/cmd/lab g11

g12: $(INCLUDE)/openh264 ## recovery after all uplinks, or the far end, were dead for 3 to 120 s (in memory)
	@$(GO) run ./lab/cmd/lab g12

g13: $(INCLUDE)/openh264 ## either uplink dead: the far end is heard again, and found again after a restart (in memory)
	@$(GO) run ./lab/cmd/lab g13

g14: $(INCLUDE)/openh264 ## failures of many kinds: how many switchovers are explained, recorded, and replay to the same decisions (in memory)
	@$(GO) run ./lab/cmd/lab g14

recovery: build ## (root) an uplink of IPv4 alone and one of IPv6 alone: another address, a box that sleeps, a far end restarted
	@$(GO) run ./lab/cmd/lab recovery

g15: build ## (root) processor time of the agent with one link and with two, and its memory
	@$(GO) run ./lab/cmd/lab g15 $(if $(TURNS),--turns $(TURNS))

g16: build ## (root) from process start to media on the first link and on both
	@$(GO) run ./lab/cmd/lab g16 $(if $(TURNS),--turns $(TURNS))

firewall: lab-deps build ## (root) hospital firewalls with real coturn, tinyproxy and nftables, or ONLY=name,name
	@$(GO) run ./lab/cmd/lab firewall $(if $(ONLY),--only $(ONLY))

echo: echo-deps ## what echo cancellation and ducking make of a made-up room: echo, double talk, processor time
	@$(GO) run ./lab/echo

vm: vm-deps test-deps build ## (root) a virtual machine with a real V4L2 camera and ALSA microphone
	$(GO) run ./lab/vm camera

package: package-amd64 package-arm64 ## .deb and .rpm of both programs for amd64 and arm64, into build/package

package-amd64: deps package-deps build/tools/nfpm build
	@TZ=UTC packaging/package.sh $(PACKAGE_VERSION) amd64

package-arm64: deps package-deps arm64-deps build/tools/nfpm build
	@TZ=UTC packaging/package.sh $(PACKAGE_VERSION) arm64

build/tools/nfpm:
	GOFLAGS= GOBIN=$(CURDIR)/build/tools $(GO) install $(NFPM)

lint-package: package-deps ## what Debian's lintian says of the packages in build/package; an error fails
	lintian --allow-root --fail-on error build/package/*.deb

try-package: deps package-deps try-deps build/tools/nfpm build ## (root) the packages with the real apt, dpkg, rpm and systemd, in a container: install to purge
	@for v in 1.0.0 1.0.1; do TZ=UTC OUT=build/try packaging/package.sh $$v amd64 >/dev/null || exit 1; done
	@packaging/try.sh build/try

deps:
	@./packaging/deps.sh $(RUN_PACKAGES)

# What checks the pages against WCAG, a tool of the tests alone. A Debian without npm is not given 300 packages for it.
AXE := axe-core@4.14.1

axe: build/npm/node_modules/axe-core/axe.min.js ## axe-core from npm, for the tests of the pages
build/npm/node_modules/axe-core/axe.min.js:
	@if command -v npm >/dev/null; then npm install --prefix build/npm --no-save --no-package-lock --ignore-scripts --no-audit --no-fund --silent $(AXE); \
	else echo "SKIPPED, LOUDLY: there is no npm here; no page is checked against WCAG by axe-core"; fi

test-deps:
	@./packaging/deps.sh $(RUN_PACKAGES) $(TEST_PACKAGES)

lab-deps:
	@./packaging/deps.sh $(RUN_PACKAGES) $(LAB_PACKAGES)

reference-deps:
	@./packaging/deps.sh $(REFERENCE_PACKAGES)

rules-deps:
	@./packaging/deps.sh $(RULES_PACKAGES)

prometheus-deps:
	@./packaging/deps.sh $(RUN_PACKAGES) $(PROMETHEUS_PACKAGES)

echo-deps: $(INCLUDE)/openh264
	@./packaging/deps.sh $(RUN_PACKAGES) $(ECHO_PACKAGES)

package-deps:
	@./packaging/deps.sh $(PACKAGE_PACKAGES)

try-deps:
	@./packaging/deps.sh $(TRY_PACKAGES)

arm64-deps:
	@./packaging/deps.sh $(ARM64_PACKAGES)

vm-deps:
	@./packaging/deps.sh $(RUN_PACKAGES) $(VM_PACKAGES)

janus: janus-deps build ## (root) Debian's Janus as a foreign far end: an agent's failover there, and the gateway's republishing
	@./lab/janus/chroot.sh build/janus
	@$(GO) run ./lab/cmd/lab janus

janus-deps:
	@./packaging/deps.sh $(RUN_PACKAGES) $(JANUS_PACKAGES)

clean:
	rm -rf build
