# The two commands of the README are `make run` and `make test`; `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# `quick` is built much sooner than `release`, which is what to install on a server.
PROFILE ?= quick
PREFIX ?= /usr/local
PROFILE_DIR = $(if $(filter dev,$(PROFILE)),debug,$(PROFILE))
TARGET = $(or $(CARGO_TARGET_DIR),target)
FRACTAL = $(TARGET)/$(PROFILE_DIR)/fractal
ARGS ?=

.PHONY: help run demo test check bench soak portal build install tools fmt

help: ## List the commands
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build tools ## Start Fractal with embedded defaults and print the address to open
	$(FRACTAL) serve $(ARGS)

demo: build tools ## The whole path without a browser: install, start, one streamed reply, clean up
	$(FRACTAL) demo $(ARGS)

build: portal ## Build the program with the Portal inside
	@[ -x $(FRACTAL) ] || echo "Building Fractal for the first time; this takes some minutes on a small machine."
	cargo build --profile $(PROFILE) --bin fractal

install: portal tools ## Build with all optimisations and install to PREFIX (default /usr/local)
	cargo build --release --bin fractal
	install -D -m 755 $(TARGET)/release/fractal $(DESTDIR)$(PREFIX)/bin/fractal

portal: portal/dist/index.html ## Build the web front end

PORTAL_SOURCES := $(shell find portal/src portal/index.html portal/package.json portal/vite.config.ts -type f 2>/dev/null)

portal/dist/index.html: portal/node_modules/.installed $(PORTAL_SOURCES)
	cd portal && npm run --silent build

# What builds the Portal says something else when Node is older, and only after the installation.
portal/node_modules/.installed: portal/package.json portal/package-lock.json
	@node -e 'const [a, b] = process.versions.node.split("."); process.exit(+a > 20 || (+a == 20 && +b >= 19) ? 0 : 1)' \
		|| { echo "Node 20.19 or later with npm is needed to build the web front end; found $$(node --version || echo none)"; exit 1; }
	cd portal && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

tools: ## Obtain bubblewrap, the sandbox of the process runtime
	@scripts/ensure-bubblewrap

test: portal ## Every test that needs no outside server
	scripts/test

check: portal ## Format, lints, generated files, arrows
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cd portal && npm run --silent lint
	cargo test --workspace --quiet --test arrows --test reference

bench: ## Measure; figures go to docs/benchmarks.md
	benches/run

soak: ## Long randomised runs
	scripts/soak

fmt: ## Format everything
	cargo fmt --all
