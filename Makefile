# make help lists the targets. `make demo` and `make test` set up all they need.

SHELL      := /bin/bash
BIN        := bin/ccdestroy
PREFIX     ?= /usr/local
PLUGINS    ?= $(or $(DOCKER_CONFIG),$(HOME)/.docker)/cli-plugins
VERSION    ?= $(shell git describe --tags --always --dirty 2>/dev/null)
LAB        := internal/lab/with-engine.sh
# What may be skipped in CI, and on which engines; anything else fails there.
define MATRIX_SKIPS
rootless,ssh,ssh-context,tls,tls-context: an engine whose files are this account's
rootless: root
rootless: no user namespaces here
podman: docker commit
podman: authorization plugins
endef
PLATFORMS  := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
export CGO_ENABLED := 0
export CCDESTROY_MATRIX_SKIPS = $(MATRIX_SKIPS)
# One cache for all that is built here, releases included.
export GOFLAGS := $(strip $(GOFLAGS) -trimpath)

.PHONY: release uninstall help build install install-plugin demo test matrix engines unit lint cross bench picture man up down destroy inventory audit clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build bin/ccdestroy
	@go build -ldflags '-s -w -X github.com/contextcore/ccdestroy/internal/cli.Version=$(VERSION)' -o $(BIN) ./cmd/ccdestroy

install: build man ## Install it to PREFIX/bin, and its manual page (/usr/local)
	install -D -m 0755 $(BIN) $(DESTDIR)$(PREFIX)/bin/ccdestroy
	install -D -m 0644 bin/ccdestroy.1 $(DESTDIR)$(PREFIX)/share/man/man1/ccdestroy.1

uninstall: ## Remove what install put there; logs and settings stay
	rm -f $(DESTDIR)$(PREFIX)/bin/ccdestroy $(DESTDIR)$(PREFIX)/share/man/man1/ccdestroy.1 $(DESTDIR)$(PLUGINS)/docker-ccdestroy

install-plugin: build ## Install it as a Docker CLI plugin: docker ccdestroy
	install -D -m 0755 $(BIN) $(DESTDIR)$(PLUGINS)/docker-ccdestroy

demo: build ## Bring up compose.yaml, tear it down audited, show the history; sets up all it needs
	@$(LAB) internal/lab/demo.sh $(BIN)

test: ## Run every test, with a real engine; sets up all it needs
	@$(LAB) internal/lab/test.sh

matrix: ## Run the end-to-end tests on every engine (ENGINES=ssh,podman; QUICK=1: a dozen on each)
	@go run ./internal/lab/matrix $(if $(QUICK),-quick) $(if $(ENGINES),-engines $(ENGINES)) $(if $(WRITE),-write $(WRITE))

engines: # Build what make matrix runs and Debian does not have
	@for what in compose5 engine29 compose2; do internal/lab/build.sh $$what >/dev/null || exit 1; done

unit: ## Run the tests that need no engine, in under a minute
	@CCDESTROY_UNIT=1 go test -short ./...

lint: cross ## Format, vet, staticcheck, and a build for every platform
	@out=$$(gofmt -l cmd internal); [ -z "$$out" ] || { echo "gofmt: $$out"; exit 1; }
	@for p in $(PLATFORMS); do GOOS=$${p%/*} GOARCH=$${p#*/} go vet ./... || { echo "vet fails for $$p"; exit 1; }; done
	@go build -C internal/lab/lint -o $(CURDIR)/bin/staticcheck honnef.co/go/tools/cmd/staticcheck
	@bin/staticcheck ./...
	@for script in internal/lab/*.sh internal/lab/matrix/*.sh; do bash -n $$script || exit 1; done
	@internal/lab/recipes.sh

cross: # Build for every platform
	@for p in $(PLATFORMS); do GOOS=$${p%/*} GOARCH=$${p#*/} go build -o /dev/null ./... || { echo "does not build for $$p"; exit 1; }; done

bench: build ## Measure against docker compose down -v, in one run
	@$(LAB) go test -run '^$$' -bench . -benchtime 1x -timeout 60m ./internal/e2e

picture: build ## Make docs/session.svg from a real run
	@$(LAB) internal/lab/picture.sh $(BIN)

man: build ## Write bin/ccdestroy.1, the manual page
	@$(BIN) man > bin/ccdestroy.1

release: ## Build bin/release: archives, packages, images, checksums; offline and reproducible
	@go run -C internal/lab/release . -source $(CURDIR) -o $(CURDIR)/bin/release

up: ## docker compose up
	docker compose up --detach

down: ## docker compose down, which keeps the volumes
	docker compose down

inventory: build ## Show what destroy would destroy
	@$(BIN) inventory

destroy: inventory ## Tear down with volumes, audited (was: docker compose down -v)
	@$(BIN)

audit: build ## Show the history
	@$(BIN) audit -n 20

clean: ## Remove what was built
	rm -rf bin
