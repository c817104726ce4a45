# Every target calls mvn or ./sallyport; whatever has to be decided is decided there.
MVN = mvn -B -ntp

.DEFAULT_GOAL := help
.PHONY: help build test check fmt run demo perf docs clean

help: ## Lists the targets.
	@sed -n 's/^\([a-z]*\): ## /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-6s %s\n", $$1, $$2 }'

build: ## Compiles everything and packs the gateway into one jar, without running tests.
	$(MVN) package -DskipTests

test: ## Runs the unit and architecture tests.
	$(MVN) test

check: ## Runs all that a change must pass: lint, unit, architecture and integration tests, and on JDK 25 the format.
	$(MVN) verify

fmt: ## Formats the Java sources and adds missing license lines (Maven itself must run on JDK 25 for this one).
	$(MVN) spotless:apply

docs: ## Writes the pages that are generated from the code: docs/reasons.md, docs/configuration.md, config/gateway.schema.json.
	$(MVN) -pl filters test -Dtest='*PageTest' -Dsallyport.docs.update=true

run: ## Starts the gateway with config/gateway.yaml.
	./sallyport run

demo: ## Starts a gateway and an upstream, sends requests that pass and requests that do not, and explains both.
	./sallyport demo

perf: ## Measures CPU per request beside stock Spring Cloud Gateway (needs nginx, openssl and wrk).
	$(MVN) -Pperf -DskipTests package
	perf/run

clean: ## Removes what the build made.
	$(MVN) clean
