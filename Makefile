# The whole project in a few words. `make up` and `make test` install what they need themselves.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PATH := $(HOME)/.cargo/bin:$(PATH)

CARGO := cargo
FUZZ_SECONDS ?= 30
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
DAAS := $(TARGET)/debug/daas
# Where tests that cannot run on this machine say why.
export SKIPPED := $(TARGET)/skipped
# What a development cluster runs, besides Kubernetes.
PROGRAMS := cli devnet master authenticator supervise parent sandbox staker

.PHONY: help setup up down status test test-cluster lint bench doctor move fuzz oracle audit fmt kubernetes kubernetes-reproduce mutants

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-20s %s\n", $$1, $$2}'

setup: ## install what this machine lacks (says what it does; nothing is done twice)
	@scripts/setup

up: setup ## start a development cluster: chain, control plane in a sandboxed enclave, two workers (as root, or through sudo)
	@scripts/as-root --check
	@scripts/step "building daas" $(CARGO) build --locked $(PROGRAMS:%=-p daas-%)
	@scripts/kubernetes-folder "$(TARGET)/kubernetes"
	@scripts/as-root "$(DAAS)" up --kubernetes "$(TARGET)/kubernetes"

down: ## stop what `make up` started; the state stays
	@test -x "$(DAAS)" || $(CARGO) build --quiet --locked -p daas-cli
	@scripts/as-root "$(DAAS)" down

status: ## every part, attestation, releases, nodes, stakes and Seal tokens
	@test -x "$(DAAS)" || $(CARGO) build --quiet --locked -p daas-cli
	@scripts/as-root "$(DAAS)" status

doctor: setup ## what this machine has and lacks for each role
	@$(CARGO) run --quiet --locked -p daas-cli --bin daas -- doctor

move: setup ## build the Move package, print its digest, write move/bytecode
	@scripts/move-build

kubernetes: setup ## build Kubernetes, containerd and the images; print SHA-256, size, path
	@scripts/kubernetes-build

kubernetes-reproduce: setup ## build all of that twice, from nothing, and compare (an hour)
	@scripts/kubernetes-reproduce

lint: setup ## formatting, clippy, dependency policy, shell scripts
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --exclude daas-fuzz --exclude daas-oracle-attestation --exclude daas-bench-peers --all-targets -- -D warnings
	$(CARGO) fetch --locked --quiet
	"$$(scripts/cargo-deny)" --offline check --hide-inclusion-graph bans licenses sources
	scripts/lint-shell
	scripts/threat-model-check

test: setup ## every test that needs no cluster: scripts, Move package, Rust, independent judges, short fuzzing
	@rm -f "$(SKIPPED)"
	scripts/cached.test
	scripts/move-build --check
	$(CARGO) test --locked
	scripts/test-tunnel
	scripts/oracle
	scripts/oracle-attestation
	scripts/oracle-eif
	scripts/fuzz --seconds $(FUZZ_SECONDS)
	@if [ -s "$(SKIPPED)" ]; then printf "\nnot everything was tested on this machine:\n"; cat "$(SKIPPED)"; else echo "nothing was skipped"; fi

test-cluster: setup ## control plane, authenticator, enclave, a worker, a whole cluster with the real programs (builds Kubernetes first)
	$(CARGO) build --locked -p daas-supervise -p daas-authenticator
	DAAS_KUBE="$$(scripts/kubernetes-build --print kube)/kube" $(CARGO) test --locked -p daas-control-plane -p daas-authenticator -p daas-master --features daas-control-plane/cluster-tests,daas-authenticator/cluster-tests,daas-master/cluster-tests
	scripts/test-sandbox
	scripts/test-worker
	scripts/test-up

fuzz: setup ## fuzz every parser (FUZZ_SECONDS=600 for a long run)
	scripts/fuzz --seconds $(FUZZ_SECONDS)

oracle: setup ## compare with the real Move VM, Sui's attestation verifier (a million documents), AWS' image builder
	scripts/oracle
	scripts/oracle-attestation 1000000
	scripts/oracle-eif

bench: setup ## measure, each figure beside a peer's
	DAAS_ORACLE_EIF="$$(scripts/oracle-eif --bench)" $(CARGO) run --release --locked -p daas-bench
	$(CARGO) run --release --locked -p daas-bench-peers

mutants: setup ## take defences out one by one: each must be missed by its test (an hour or more)
	@scripts/mutants

audit: setup ## known vulnerabilities (needs the advisory database, a git repository)
	"$$(scripts/cargo-deny)" check advisories

fmt: ## format the code
	$(CARGO) fmt --all
