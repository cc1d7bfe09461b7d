# Everything that a checkout can do. Needs Go (1.26 or newer), npm and Linux; the rest is fetched by name.
.DEFAULT_GOAL := help
.PHONY: help demo test bench soak model chaos oracle fuzz cluster generate format clean

NODE := node_modules/.bin/node

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

demo: node_modules ## the tour, on a real Kubernetes API server; KEEP=1 leaves it up
	@$(NODE) scripts/demo.ts $(if $(KEEP),--keep)

test: node_modules ## everything that must hold
	@npm run --silent verify

bench: node_modules ## the measurements of bench/, each as a ratio
	@$(NODE) bench/run.ts

soak: node_modules ## 20 minutes of churn and faults; MINUTES=n and SEED=n choose others
	@$(NODE) scripts/soak.ts $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

model: node_modules ## 100 random lives of grants beside a model of the promises; LIVES=n and SEED=n choose others
	@$(NODE) scripts/model.ts $(if $(LIVES),--lives $(LIVES)) $(if $(SEED),--seed $(SEED))

chaos: node_modules ## 10 minutes in which everything is killed at random; SECONDS=n and SEED=n choose others
	@$(NODE) scripts/chaos.ts $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

oracle: node_modules ## 1,000,000 generated cases, judged by Kubernetes' own code too; CASES=n and SEED=n choose others
	@$(NODE) scripts/oracle.ts $(if $(CASES),--cases $(CASES)) $(if $(SEED),--seed $(SEED))

fuzz: node_modules ## 200,000 spoilt reviews against a webhook process; CASES=n and SEED=n choose others
	@$(NODE) scripts/fuzz.ts $(if $(CASES),--cases $(CASES)) $(if $(SEED),--seed $(SEED))

cluster: node_modules ## a control plane alone, in the foreground
	@$(NODE) scripts/cluster.ts

generate: node_modules ## crds/, the chart's copy of it and docs/spec/, from src/api
	@npm run --silent generate

format: node_modules ## format the sources
	@npm run --silent format

clean: ## remove what was installed and built here
	rm -rf node_modules dist coverage

node_modules: package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch node_modules
