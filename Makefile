# Everything needs Go alone, but for dynamodb-test, which also needs npm and Java,
# race, which needs a C compiler, template, which needs Python, and web-test, which
# needs Chromium.

FUZZTIME ?= 100000x
SEEDS ?= 1000
FROM ?= 1
CYCLES ?= 60
IMAGES ?= 30
SETTLEMENTS ?= 20000
TRIALS ?= 400
ROUNDS ?= 20
DYNAMODB_PORT ?= 8123

BROWSER ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.PHONY: help run build test web-test screens race tour dynamodb-test his-day sim mutants fuzz crash linear bench oracle lint audit licences template sam-local clean

help: ## what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 18

run: ## start the house on this machine and tell its story
	go run ./infra/local

build: ## every program, into bin/
	CGO_ENABLED=0 go build -trimpath -tags lambda.norpc -ldflags '-s -w' -o bin/ ./...

test: ## vet and all tests
	go vet ./...
	go test ./...

web-test: ## the pages in a headless browser, BROWSER (chromium)
	@[ -n '$(BROWSER)' ] || { echo 'web-test: no browser was found; install chromium or set BROWSER'; exit 1; }
	cd infra/webtest && go vet ./... && GONGJI_BROWSER='$(BROWSER)' go test -count=1 -timeout 20m -v ./...

screens: ## the pictures of docs/screens, taken anew
	cd infra/webtest && GONGJI_SCREENS='$(CURDIR)/docs/screens' GONGJI_BROWSER='$(BROWSER)' go test -count=1 -run 'TestScreens|TestReview|TestRules|TestCounter|TestTrail|TestPremium' .

policy-test: ## every region's file, and every story with its numbers
	go test -count=1 ./shared/policy ./shared/catalogue
	go test -count=1 -run Scenario ./shared/family

race: ## all tests under the race detector, the campaigns among them short
	go test -race -short -timeout 60m ./...

dynamodb-test: ## the tests that need a DynamoDB, on a DynamoDB Local
	@endpoint=$$(infra/dynamodb-local.sh $(DYNAMODB_PORT)) || exit 1; \
	trap 'infra/dynamodb-local.sh stop $(DYNAMODB_PORT)' EXIT; \
	GONGJI_DYNAMODB_ENDPOINT=$$endpoint go test -count=1 ./shared/store/... ./shared/his ./infra/local ./infra/deploy && \
	go run ./infra/linear -dynamodb $$endpoint -rounds 2 -things 10 -servers 2 -kill

mutants: ## bugs planted in the law and the acts, each of which the simulation has to find (MUTANTS="-sample 15" for some)
	go run ./infra/mutants $(MUTANTS)

his-day: ## a hospital's day at the national interface, with what goes wrong on such days, against a local house
	@data=$$(mktemp -d) && go build -o $$data/ ./infra/local ./infra/hissim && \
	{ $$data/local -demo=false -addr 127.0.0.1:8790 -data $$data/house >$$data/log 2>&1 & house=$$!; } && \
	trap "kill $$house; wait $$house; rm -rf $$data" EXIT && \
	for i in $$(seq 50); do grep -q listening $$data/log && break; sleep 0.2; done; \
	$$data/hissim -url http://127.0.0.1:8790

sim: ## simulated towns, SEEDS (1000) of them from FROM (1) on, watched by an independent auditor
	go run ./infra/sim -seeds $(SEEDS) -from $(FROM)

# Counted in inputs, and with a short search for smaller ones: go test calls it a
# failure when a time runs out while it is at that.
fuzz: ## every fuzz target for FUZZTIME (100000x) inputs
	@grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed 's|/[^/]*:func | |' | \
	while read -r folder target; do \
		echo "$$folder $$target"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x "$$folder" </dev/null || exit 1; \
	done

.PHONY: repair
repair: ## restore tables with records missing, TRIALS (400) times, and repair them
	GONGJI_TRIALS=$(TRIALS) go test -count=1 -v -timeout 2h -run 'TestACutTable|TestADamagedRecord|TestEveryChangedField' ./shared/app

# Needs strace for the losses of power. CYCLES=2000 IMAGES=300 is the long form.
crash: ## kill the server under its clients CYCLES (60) times, take its power away IMAGES (30) times, and search what it leaves for names
	go run ./infra/crash kill -cycles $(CYCLES)
	go run ./infra/crash power -images $(IMAGES)
	go run ./infra/crash reopen -settlements $(SETTLEMENTS)
	go run ./infra/crash leak

# LINEAR takes further options of infra/linear: LINEAR='-dynamodb URL', LINEAR='-seed 7'.
linear: ## histories of 64 clients of two servers, ROUNDS (20) times 20 of them, with a kill in each round; and planted bugs
	go run ./infra/linear -rounds $(ROUNDS) -servers 2 -kill -planted $(LINEAR)

# BENCH takes the options of infra/bench: BENCH=-short, BENCH=-long, BENCH='-only start',
# BENCH='-into docs/performance.md'.
bench: ## the table of docs/performance.md, measured here; a quarter of an hour
	go run ./infra/bench $(BENCH)

oracle: ## whether the time of an answer tells who is in the register, from 3 × 5,000 requests in mixed order
	go run ./infra/bench -only oracle

tour: ## the READMEs' five minutes with curl, against a fresh house
	infra/tour.sh README.md >/dev/null
	infra/tour.sh README.zh-CN.md | tail -n 1

lint: ## formatting, tidiness of the modules, static checks
	@unformatted=$$(go tool -modfile=infra/tools/go.mod gofumpt -l .); [ -z "$$unformatted" ] || { echo "not formatted:"; echo "$$unformatted"; exit 1; }
	go mod tidy -diff
	go vet ./...
	go tool -modfile=infra/tools/go.mod staticcheck ./...

# The database of known faults is fetched; where it cannot be, that is said and the
# rest is still looked at.
audit: ## the modules are those of go.sum, under licences allowed, none that we call has a known fault; what is run has no finding of gosec's; bin/sbom.cdx.json
	go mod verify
	cd infra/tools/gosec && go mod verify
	go tool -modfile=infra/tools/gosec/go.mod gosec -quiet ./shared/... ./functions/... ./infra/local/... ./infra/keys/... ./infra/verify/...
	cd infra/tools && go mod verify && go vet ./... && go test ./... && go run ./sbom
	@if curl -sfL -m 20 -o /dev/null https://vuln.go.dev/index/db.json; then \
		go tool -modfile=infra/tools/go.mod govulncheck ./...; \
	else \
		echo "SKIPPED: vuln.go.dev cannot be reached from here, so nobody looked for known faults"; \
	fi

licences: ## the table of docs/dependencies.md, written anew
	cd infra/tools && go run ./sbom -update >/dev/null

template: ## template.yaml, as the SAM CLI and CloudFormation's linter see it, and every function built
	infra/lint-template.sh --build

sam-local: ## the functions in containers, as the SAM CLI runs them (docs/operations.md)
	infra/sam-local.sh

clean: ## remove what was built; data directories stay
	rm -rf bin

include functions/build.mk
