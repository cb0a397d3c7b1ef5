# Everything a user or a developer does with the source. 'make' alone builds.

GO        ?= go
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
# One fuzz target may take this long; 'make fuzz FUZZTIME=10m' looks deeper.
FUZZTIME  ?= 30s
# The longest run seen on two cores is a few minutes; a test that hangs should fail before the CI kills the machine.
TESTTIME  ?= 15m
RACETIME  ?= 20m
# Long enough for numbers to compare by eye; 1s and -count for benchstat.
BENCHTIME ?= 300ms
PACKAGES  ?= ./...

# install runs apt-get as root for the packages $(2), unless every command of $(1) is there already. Some of the packages would
# start a service on this machine, so the host's policy for starting services says no meanwhile.
install = PATH="$$PATH:/usr/sbin:/usr/local/sbin"; missing=; \
	for program in $(1); do command -v $$program >/dev/null || missing="$$missing $$program"; done; \
	[ -z "$$missing" ] || { \
		command -v apt-get >/dev/null || { echo "please install$$missing: there is no apt-get here" >&2; exit 1; }; \
		as_root=; [ "$$(id -u)" = 0 ] || as_root=sudo; policy=/usr/sbin/policy-rc.d; \
		if [ ! -e $$policy ]; then \
			trap "$$as_root rm -f $$policy" EXIT INT TERM; \
			printf '\#!/bin/sh\nexit 101\n' | $$as_root tee $$policy >/dev/null; $$as_root chmod 755 $$policy; \
		fi; \
		echo "installing $(2)"; $$as_root apt-get update -qq && \
		$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(2) >/dev/null; }

# tested runs the drills and the chaos suite by themselves after everything else: they measure pauses and need the machine.
tested = $(GO) test $(1) $$($(GO) list ./... | grep -v -e /bench$$ -e /bench/chaos$$) && $(GO) test -p 1 $(1) ./bench/ ./bench/chaos/

export CGO_ENABLED = 0

# Half an hour is 180 failovers; 'make soak SOAKTIME=2m' is a short look at descriptors, goroutines and pipes.
SOAKTIME  ?= 30m

# How long simulated lives are tried; a minute on an idle processor is some fifty thousand failovers.
SIMTIME   ?= 10m

.PHONY: all build deps demo test race fuzz peers bench chaos chaos-deps chaos-short planted soak sim compare clients clients-short \
	conformance conformance-short conformance-failover lint clean

all: build

# bin/holdfast is a static binary and the same for the same source.
build:
	$(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/holdfast ./cmd/holdfast

# deps installs what is missing and touches nothing else: redis-server for tests and the demo, and the Go modules.
deps:
	@$(call install,redis-server,redis-server redis-tools)
	@$(GO) mod download

demo: deps build
	@bin/holdfast demo

test: chaos-deps build
	$(GO) vet ./...
	export HOLDFAST_BIN=$(CURDIR)/bin/holdfast; $(call tested,-shuffle=on -timeout $(TESTTIME))

# The race detector needs a C compiler. RACEFLAGS=-short leaves out the long drills.
race: chaos-deps build
	@$(call install,gcc,gcc libc6-dev)
	export HOLDFAST_BIN=$(CURDIR)/bin/holdfast CGO_ENABLED=1; $(call tested,-race -shuffle=on -timeout $(RACETIME) $(RACEFLAGS))

# go test fuzzes one target at a time, so each is found and run by itself.
fuzz: deps
	@set -e; for package in $$($(GO) list $(PACKAGES)); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 200x $$package; \
		done; \
	done

# What the data plane is measured against.
peers:
	@$(call install,haproxy nginx strace redis-server,haproxy nginx-light libnginx-mod-stream strace redis-server redis-tools)

# Micro-benchmarks, then the table of the data plane beside its peers: less than ten minutes together.
bench: peers deps build
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) $(PACKAGES)
	bin/holdfast bench dataplane $(BENCHFLAGS)

# Faults of the network, of disks and of single connections are injected with these, as root.
chaos-deps: deps
	@$(call install,ip ss nft nsenter,iproute2 nftables util-linux)

# The chaos suite in its nightly size: 1,000 failovers by SIGKILL, 200 of each other main fault, 40 of the rest; about an hour and
# a half on two processors. CHAOSFLAGS='--seed 7' makes the same run again.
CHAOS_MAIN = sigterm segfault sigstop sigkill-behind reborn-empty-0ms reborn-rdb-30ms reborn-unseen sigkill-of-three double-sigkill \
	second-sigkill stale-replica third-party switchover rst-all host-death partition async-loss executed-unacked zombie \
	proxy-sigkill-failover
empty :=
space := $(empty) $(empty)
comma := ,
chaos: chaos-deps build planted
	bin/holdfast bench chaos --jobs 2 --cycles 40 --failures 20 --json chaos.json $(CHAOSFLAGS) \
		--fault all,sigkill=1000,$(subst $(space),$(comma),$(addsuffix =200,$(CHAOS_MAIN))),sigstop-30s=4,sigkill-overflow=4

# Every fault once but the longest, and the shortest some more: less than four minutes.
chaos-short: chaos-deps build
	bin/holdfast bench chaos --jobs 2 --duration 220s $(CHAOSFLAGS) \
		--fault all,sigkill=20,sigkill-overflow=0,sigstop-30s=0,reborn-empty-4900ms=0,reborn-rdb-4900ms=0,reborn-aof-4900ms=0

# The suite must find bugs that are put in on purpose, or it would find nothing.
planted: chaos-deps build
	bin/holdfast bench chaos --planted

# What Holdfast holds after many failovers, compared with what it held before: SOAKTIME long, figures in bin/soak.json.
soak: deps build
	bin/holdfast bench soak --duration $(SOAKTIME) --json bin/soak.json

# The pure core in virtual time, until SIMTIME is over or an invariant breaks; a broken life is printed with its seed.
sim:
	$(GO) test ./health/sim -v -timeout 0 -args -sim.time $(SIMTIME) -sim.overlay

# The same faults and loads without a proxy, behind HAProxy and Sentinel, and behind Holdfast: about eight minutes for each round.
# Writes docs/comparison.md, .html and .json. COMPAREFLAGS="--rounds 3" narrows the spread.
compare: peers deps build
	bin/holdfast bench compare --out docs $(COMPAREFLAGS)

# What the client libraries of other languages need. The short form has no PHP.
clients-short:
	@$(call install,node npm,nodejs npm)
	@$(call install,ruby,ruby)
	@/usr/bin/python3 -c 'import redis' 2>/dev/null || { $(call install,python3-redis,python3-redis); }
	@ruby -e 'require "redis"' 2>/dev/null || { $(call install,ruby-redis,ruby-redis); }

clients: clients-short
	@$(call install,php,php-cli)
	@php -r 'exit(extension_loaded("redis") ? 0 : 1);' || { $(call install,php-redis,php-redis); }

# The suites of client libraries, directly, through Holdfast, and with a failover every two seconds: half an hour.
conformance: deps build clients
	bin/holdfast bench conformance $(CONFORMANCEFLAGS)

# What fits in four minutes: the programs and the differential suite, directly and through Holdfast, and the programs with a
# failover every two seconds.
conformance-short: deps build clients-short
	bin/holdfast bench conformance ioredis node-redis redis-py redis-rb miniredis --modes direct,through --for 10s
	bin/holdfast bench conformance ioredis node-redis redis-py redis-rb --modes failover --for 8s --out bench-results/conformance-failover

# The programs with a failover every two seconds: three minutes and what it takes to build two of them.
conformance-failover: deps build clients-short
	bin/holdfast bench conformance ioredis node-redis redis-py redis-rb rueidis asynq --modes failover --for 20s

# The house rules are a test (cmd/holdfast/tidy_test.go), so that 'make test' finds them too.
lint:
	$(GO) vet ./...
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "not formatted: $$unformatted" >&2; exit 1; }
	$(GO) test -run '^TestTidy|^TestDependenciesAreDecided$$|^TestNothingNamesThisMachine$$' ./cmd/holdfast

clean:
	rm -rf bin
