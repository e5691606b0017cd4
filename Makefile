# `make help` lists the targets. Everything needs only Go; what else a test needs it says or `make setup` installs.
SHELL := /bin/bash
GO    ?= go
BIN   := bin
DIST  ?= dist
FUZZTIME ?= 600s
BENCHTIME ?= 200ms
SOAK ?= 90s
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
EXAMPLE ?= cmd/heimdall-lab/example
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system
ARCH  ?= $(shell $(GO) env GOARCH)
LDFLAGS := -s -w -X main.version=$(VERSION)
INSTALLED = $(LDFLAGS) -X main.defaultSocket=/run/heimdall/heimdall.sock

.PHONY: help build release run load lab lab-anycast install deb rpm test test-alloc test-root test-kernels test-package storm soak fuzz bench generate check-generated lint deps setup clean

help: ## list the targets
	@grep -hE '^[a-z -]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 18

build: ## build heimdalld, heimdallctl, heimdall-bench and heimdall-lab into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/...

release: ## archives of static binaries for amd64 and arm64, with checksums, into dist/
	@GO='$(GO)' .ci/release '$(VERSION)' $(DIST)

run: build ## a resolver on 127.0.0.1:1053 and [::1]:1053 that serves an example zone too; says what works here
	@$(BIN)/heimdall-lab -here $(EXAMPLE)/config.toml

load: build ## in a second terminal: what the resolver of `make run` bears, in replies/s, and P50 to P99.9
	@$(BIN)/heimdall-bench -server 127.0.0.1:1053 -pattern 'h%d.heimdall.example' -count 256 -search -rounds 1 $(LOAD) || \
		{ echo 'Is `make run` running in another terminal?' >&2; exit 1; }

lab: build ## a small signed internet in network namespaces, with a resolver in it
	@$(BIN)/heimdall-lab

lab-anycast: build ## two servers of one address behind BIRD, and what a client loses when one is upgraded, stopped or killed
	@timeout --foreground -s INT 60 $(BIN)/heimdall-lab -anycast

install: ## install into DESTDIR, below PREFIX, the programs, their pages, a unit and a configuration
	CGO_ENABLED=0 GOARCH='$(ARCH)' $(GO) build -trimpath -ldflags '$(INSTALLED)' -o $(BIN)/installed/ ./cmd/...
	env -u HEIMDALL_SOCKET -u GOARCH $(GO) run -ldflags '$(INSTALLED)' ./cmd/heimdallctl pages config.toml cmd/heimdalld/dist/heimdalld.8.md $(BIN)/installed/pages
	cmd/heimdalld/dist/stage $(BIN)/installed $(BIN)/installed/pages '$(DESTDIR)' '$(PREFIX)' '$(SYSCONFDIR)' '$(UNITDIR)'

deb rpm: ## a package for ARCH, in dist/
	@GO='$(GO)' cmd/heimdalld/dist/package $@ '$(VERSION)' '$(ARCH)' $(DIST)

setup: ## install what the tests need (Debian packages, as root)
	@.ci/install-test-tools

test: setup build deps lint ## all tests, race detector included
	@.ci/test

test-alloc: ## only the tests that count allocations
	$(GO) test -count=1 -run 'Alloc' ./...

test-root: build ## the privileged tests alone
	$(GO) test -count=1 -v -run TestRoot ./...

test-kernels: ## the privileged tests and the daemon in the kernels of .ci/kernels, under qemu
	@.ci/test-kernels

test-package: ## build the packages, install, upgrade and purge them, beside this machine's file system (as root)
	@GO='$(GO)' .ci/test-package

storm: ## a million random queries during 100 reloads of zones
	$(GO) test -count=1 -v -run TestZoneReloadsUnderLoad ./cmd/heimdalld -storm-queries 1000000 -storm-reloads 100

soak: ## the documented memory against misses, floods, validation, clients and reloads, for SOAK (1h, say)
	$(GO) vet -tags soak ./cmd/heimdalld
	$(GO) test -count=1 -v -tags soak -timeout 0 -run 'TestSoak$$' ./cmd/heimdalld -soak $(SOAK)

fuzz: ## all fuzz targets, within FUZZTIME together
	@.ci/fuzz $(FUZZTIME)

bench: ## micro-benchmarks of each stage
	$(GO) test -run '^$$' -bench . -benchtime $(BENCHTIME) ./...

generate: ## rebuild the eBPF objects (with Debian's clang-14, llvm-14 and libbpf-dev; make setup installs them)
	$(GO) generate ./ebpf

check-generated: generate ## fail if the committed objects are not what their sources make
	git diff --exit-code -- ebpf

lint: ## gofmt, go vet for amd64 and arm64, and headings that stand twice in a document
	@test -z "$$(gofmt -l cmd core shard netio affinity ebpf | tee /dev/stderr)"
	$(GO) vet ./...
	GOARCH=arm64 CGO_ENABLED=0 $(GO) vet ./...
	@.ci/lint-documents

deps: ## who may import whom
	$(GO) test -count=1 -run TestDependencies ./cmd/heimdalld

clean: ## remove what was built
	rm -rf $(BIN) $(DIST)
