# Every command of the project. Whatever is longer than a line is a script in .ci.

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## install what is missing, start Redis, Rails on Puma and the bridge, and print where to log in
	@.ci/install demo && exec examples/chat/run

test: ## install what the tests need and run all of them, on Rails 6.1 and on Rails 7.2
	@.ci/install $(if $(LINT),lint,test) && .ci/test $(if $(LINT),--lint)

build: ## the bridge, a static binary: bin/cablestay
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/cablestay ./cmd/cablestay

lint: ## gofmt, go vet, golangci-lint with the import directions, Ruby's warnings and rubocop
	@.ci/install lint && .ci/lint

e2e: ## the end-to-end suite alone, on this machine's Rails
	.ci/test e2e

conformance: ## every statement about Action Cable's behaviour, on stock and through the bridge, as a table
	@.ci/install test && .ci/conformance --page

bench: ## Cablestay, stock Action Cable and the floor, measured on this machine, as a table and a plot
	@.ci/install test && .ci/bench $(BENCH)

gem: ## the gem's tests alone, on this machine's Rails
	rpc/rails/bin/test

specs: ## the chat's own specs
	examples/chat/bin/specs

fuzz: ## every fuzz target, FUZZTIME each (15s)
	.ci/fuzz $(FUZZTIME)

clean: ## remove what the other commands leave in this folder
	rm -rf bin tmp examples/chat/tmp examples/chat/log examples/chat/node_modules examples/chat/public/build cmd/cablestay/e2e/client/node_modules

.PHONY: help demo test build lint e2e conformance bench gem specs fuzz clean
.DEFAULT_GOAL := help
