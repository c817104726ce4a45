# Every target calls mvn or ./sallyport; whatever has to be decided is decided there.
MVN = mvn -B -ntp

.DEFAULT_GOAL := help
.PHONY: help build test check fmt run demo image k8s hostile fuzz perf jmh docs clean

help: ## Lists the targets.
	@sed -n 's/^\([a-z0-9]*\):[a-z0-9 ]*## /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-7s %s\n", $$1, $$2 }'

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

image: build ## Makes the image sallyport/gateway:local (needs Docker; BASE_IMAGE=... for another base).
	docker build -t sallyport/gateway:local --build-arg BASE_IMAGE -f gateway-app/Dockerfile .

k8s: ## Renders the Kubernetes files as kubectl would get them, into k8s/target (needs kustomize).
	mkdir -p k8s/target
	kustomize build k8s/base > k8s/target/base.yaml
	kustomize build k8s/overlays/staging > k8s/target/staging.yaml
	kustomize build k8s/overlays/production > k8s/target/production.yaml

hostile: ## Sends the hostile corpus at length, also to nginx and HAProxy where they are installed (PEERS= for neither); prints a table.
	.ci/hostile

fuzz: ## Fuzzes each parser of hostile input under Jazzer (EACH=60 seconds or RUNS=..., TARGETS='CanonicalPaths ...').
	EACH='$(EACH)' RUNS='$(RUNS)' TARGETS='$(TARGETS)' .ci/fuzz

perf: ## Measures CPU per request beside Envoy, HAProxy, nginx and stock Spring Cloud Gateway (perf/README.md says what it needs).
	$(MVN) -Pperf -DskipTests package
	perf/run

# Nothing of it is tested: what it measures has been, by check.
jmh: ## Runs the microbenchmarks of the parts of a decision; JMH='regex -f 1' for some of them.
	$(MVN) -Pperf -DskipTests -pl perf/jmh -am package
	perf/jmh/run $(JMH)

clean: ## Removes what the build made.
	$(MVN) clean
	rm -rf k8s/target
