# Commands for everybody who works on Postfach. `make run` needs nothing but Go.

GO      ?= go
FUZZTIME ?= 20s
BIN     := bin/postfach

.PHONY: build run test check race fuzz bench micro packages

build: ## builds bin/postfach
	CGO_ENABLED=0 $(GO) build -o $(BIN) ./cmd/postfach

run: build ## a demo server with mail in it; prints how to connect
	./$(BIN) demo

check: ## formatting, vet, staticcheck, unit tests and transcripts: for every commit
	@test -z "$$(gofmt -l cmd internal test *.go)" || { gofmt -l cmd internal test *.go; echo "run gofmt -w on these"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) test -short . ./cmd/... ./internal/...

packages: ## Debian packages that the tests with real clients need
	test/packages.sh

test: packages ## all tests, real clients included
	$(GO) test -timeout 14m ./...
	@test/packages.sh report

race: ## all unit tests with the race detector
	$(GO) test -race -short ./...

fuzz: ## every fuzz target for FUZZTIME
	test/fuzz.sh $(FUZZTIME)

bench: ## Postfach beside Dovecot: writes docs/benchmark.md; needs Debian, root and twenty minutes
	test/bench/install.sh
	$(GO) run ./test/bench

micro: ## benchmarks of the hot paths
	$(GO) test -run '^$$' -bench . -benchmem ./internal/...
