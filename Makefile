# All commands of the project; `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
RESULTS := $(or $(TMPDIR),/tmp)/asskomm-chaos.json
POWER := $(or $(TMPDIR),/tmp)/asskomm-power.json

.PHONY: help
help: ## List these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(READY) ## Create .venv with all dependencies (the other commands do this automatically)

# Uses uv if it is installed, otherwise venv and pip.
$(READY): requirements.lock pyproject.toml
	@echo "setting up .venv (once, a minute)"
	@if command -v uv >/dev/null; then \
	  uv venv --quiet --allow-existing --python $(PYTHON) .venv && \
	  uv pip install --quiet --python $(BIN)/python --require-hashes --requirement requirements.lock && \
	  uv pip install --quiet --python $(BIN)/python --no-deps --editable . ; \
	else \
	  $(PYTHON) -m venv .venv && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable . ; \
	fi
	@$(BIN)/python -m compileall -q -j 0 .venv services shared operations || true
	@touch $@

.PHONY: demo
demo: $(READY) ## Play the story of Rothenburg on the whole system and show the emails
	@$(BIN)/asskomm demo

.PHONY: up
up: $(READY) ## Run the whole system here behind one port, until Ctrl-C
	@$(BIN)/asskomm up

# Fewer examples of each property than `make test` tries.
.PHONY: test-unit
test-unit: $(READY) ## Run only the tests that need no server (a quarter of a minute)
	@ASSKOMM_TEST_EXAMPLES=20 $(BIN)/python -m pytest -q -m "not servers" --hypothesis-profile=few \
	  tests/membership tests/notifications tests/shared

.PHONY: test
test: $(READY) ## Run all tests on real servers
	@$(BIN)/python -m pytest -q

# SEED fixes the random choices and FAULT selects faults; default: a random seed, all faults. NOTE=1 updates the results
# in docs/promises.md.
CHAOS := $(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(FAULT),--fault '$(FAULT)')

.PHONY: chaos
chaos: $(READY) ## Inject every fault and judge the result (12 minutes; SEED=… FAULT=… repeats one)
	@$(CHAOS) --results $(RESULTS)
	@$(if $(NOTE),$(BIN)/python -m tests.chaos.power --json > $(POWER) && $(BIN)/python -m tests.chaos.report $(RESULTS) $(POWER))

.PHONY: chaos-short
chaos-short: $(READY) ## Inject the most important faults (under 5 minutes)
	@$(CHAOS) --short

.PHONY: check
check: $(READY) ## Check style, types, module boundaries and event schemas
	@$(BIN)/ruff format --check --quiet . || { echo "run: make fix"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m operations.catalogue --check

.PHONY: fix
fix: $(READY) ## Fix what can be fixed automatically: format, imports, event catalogue
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/python -m operations.catalogue

.PHONY: logs
logs: ## Follow the logs of the embedded system
	@tail -n 50 -F $${ASSKOMM_VAR:-var}/services.log

.PHONY: bench-story
bench-story: $(READY) ## Measure from the last signature to the email, beside the floor
	@$(BIN)/python -m benchmarks.story

.PHONY: bench
bench: $(READY) ## Measure every stage beside its floor and its rival, and update docs/performance.md
	@$(BIN)/python -m benchmarks --write

.PHONY: lock
lock: ## Re-pin all dependencies with hashes (needs uv)
	uv pip compile --quiet --universal --generate-hashes --all-extras --python-version 3.11 --no-header --no-emit-index-url \
	  pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --universal --generate-hashes --extra observability --python-version 3.11 --no-header \
	  --no-emit-index-url pyproject.toml --constraint requirements.lock --output-file deploy/requirements.lock
	echo 'setuptools>=77' | uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header \
	  --no-emit-index-url - --output-file deploy/build.lock
