# Everything a person types. `make help` lists it; each target starts from nothing.

PYTHON ?= python3
VENV ?= .venv
DATA_DIR ?= .run
LAB_DIR ?= .lab
POSTGRES_DIR ?= .lab-postgres
HOSTS ?= 4
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# Values of local runs reach the shell as environment variables, never as text of a recipe; and as they were
# given: make would expand a $ in them.
GIVEN := FILE SRC DEST TARGET PARAM ACCOUNT SCOPE ID JOB SINCE ON_HOSTS INVENTORY BENCH RUNS CHAOS_SEED CHAOS_ROUNDS FUZZ_REQUESTS FUZZ_SEED BASE_URL PROFILE SECTION SHORT
$(foreach name,$(GIVEN),$(eval override $(name) := $$(value $(name))))
export $(GIVEN) DATA_DIR HOSTS LAB_DIR POSTGRES_DIR
# Nothing is written outside the checkout.
export MYPY_CACHE_DIR := .mypy_cache
export RUFF_CACHE_DIR := .ruff_cache

.DEFAULT_GOAL := help
.PHONY: help setup run demo test bench rolling property fuzz conformance chaos check format lab lab-postgres lab-down script push plan status logs artifacts audit prune clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: $(STAMP) ## everything that is needed: .venv, and with apt (as root) what the system lacks

$(STAMP): pyproject.toml .ci/system-packages
	@PYTHON="$(PYTHON)" sh .ci/system-packages
	@echo "setup: installing into $(VENV)"
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
	@echo "setup: ready, $$($(BIN)/adapter --version)"

run: setup ## the service on 127.0.0.1:8000: embedded SQLite in .run, inventories/local
	@exec $(BIN)/adapter serve --data-dir "$$DATA_DIR" $${INVENTORY:+--inventory "$$INVENTORY"}

demo: setup ## a lab of SSH hosts, the service, both seed requests followed to their end; cleans up
	@exec $(BIN)/python -m tests.demo

test: setup ## the whole suite
	@exec $(BIN)/python -m pytest -n 3 --dist worksteal $(PYTEST_ARGS)

bench: setup ## figures beside what one would use otherwise, into .bench/ (BENCH="one_host files …" RUNS=n)
	@exec $(BIN)/python -m tests.bench --json .bench/bench.json $${BENCH:+--only $$BENCH} $${RUNS:+--runs $$RUNS}

rolling: setup ## batches of 10 % over ROLLING_HOSTS=200 hosts, one failing in the third, in each mode
	@ROLLING_HOSTS=$${ROLLING_HOSTS:-200} exec $(BIN)/python -m pytest -q tests/e2e/test_rolling_many.py

property: setup ## PROPERTY_STEPS=50000 things happen to jobs beside a model of their states (PROPERTY_SEED=…)
	@PROPERTY_STEPS=$${PROPERTY_STEPS:-50000} exec $(BIN)/python -m pytest -q -s --timeout 3600 \
		tests/unit/engine/test_section_e.py

fuzz: setup ## FUZZ_REQUESTS=10000 made up from /openapi.json, each reply held to it (FUZZ_SEED=… repeats them)
	@FUZZ_REQUESTS=$${FUZZ_REQUESTS:-10000} exec $(BIN)/python -m pytest -q -s --show-capture=no tests/fuzz

conformance: setup ## the contract's table against BASE_URL=… (PROFILE=file.yml), or this service (SECTION="c logs" SHORT=1)
	@exec $(BIN)/python -m tests.conformance --base-url "$$BASE_URL" --section "$$SECTION" \
		$${PROFILE:+--profile "$$PROFILE"} $${SHORT:+--short}

chaos: setup ## faults in random order under many jobs, repeatable: CHAOS_SEED=… CHAOS_ROUNDS=5 (10 kills each)
	@exec $(BIN)/python -m tests.chaos $${CHAOS_SEED:+--seed "$$CHAOS_SEED"} \
		$${CHAOS_ROUNDS:+--rounds "$$CHAOS_ROUNDS"}

check: setup ## format, lint, types, layers
	@$(BIN)/ruff format --check --quiet . || { echo "run: make format"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: setup ## format the code and mend what can be mended
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

lab: setup ## HOSTS=n real SSH servers, up until `make lab-down`; prints their inventory
	@exec $(BIN)/python -m tests.lab up --hosts "$$HOSTS" --directory "$$LAB_DIR"

lab-postgres: setup ## a PostgreSQL server, up until `make lab-down`; prints its --database-url
	@exec $(BIN)/python -m tests.support.postgres up --directory "$$POSTGRES_DIR"

lab-down: ## end the lab, the PostgreSQL server and everything in them
	@test ! -d "$$LAB_DIR" || $(BIN)/python -m tests.lab down --directory "$$LAB_DIR"
	@test ! -d "$$POSTGRES_DIR" || $(BIN)/python -m tests.support.postgres down --directory "$$POSTGRES_DIR"

LOCAL = --data-dir "$$DATA_DIR" $${INVENTORY:+--inventory "$$INVENTORY"} $${SCOPE:+--scope "$$SCOPE"}

script: setup ## FILE=… TARGET=…: run a script (PARAM=… ACCOUNT=… INVENTORY=… SCOPE=biz:ID)
	@exec $(BIN)/adapter script --file "$$FILE" --target "$$TARGET" --param "$$PARAM" $${ACCOUNT:+--account "$$ACCOUNT"} $(LOCAL)

push: setup ## SRC=[HOST:]/path DEST=/dir/ TARGET=…: copy a file or directory (ACCOUNT=… INVENTORY=… SCOPE=…)
	@exec $(BIN)/adapter push --src "$$SRC" --dest "$$DEST" --target "$$TARGET" $${ACCOUNT:+--account "$$ACCOUNT"} $(LOCAL)

plan: setup ## ID=…: run a stored job plan (INVENTORY=…)
	@exec $(BIN)/adapter plan --id "$$ID" $(LOCAL)

status: setup ## JOB=…: states of a job, its steps and hosts
	@exec $(BIN)/adapter status --job "$$JOB" --data-dir "$$DATA_DIR"

logs: setup ## JOB=…: every host's log
	@exec $(BIN)/adapter logs --job "$$JOB" --data-dir "$$DATA_DIR"

artifacts: setup ## JOB=…: its ansible-runner private data directories
	@exec $(BIN)/adapter artifacts --job "$$JOB" --data-dir "$$DATA_DIR"

audit: setup ## JOB=… or SINCE=1h: do store and artifacts agree? ON_HOSTS=1 asks the hosts too (INVENTORY=…)
	@exec $(BIN)/adapter audit $${JOB:+--job "$$JOB"} $${SINCE:+--since "$$SINCE"} $${ON_HOSTS:+--hosts} \
		$${INVENTORY:+--inventory "$$INVENTORY"} --data-dir "$$DATA_DIR"

prune: setup ## remove what is older than ADAPTER_KEEP_JOBS_DAYS, …_LOGS_DAYS, …_ARTIFACTS_DAYS, …_ARTIFACTS_BYTES
	@exec $(BIN)/adapter prune --data-dir "$$DATA_DIR"

clean: lab-down ## remove what setup, check and test made; the data in .run stays
	@rm -rf $(VENV) .bench .mypy_cache .ruff_cache .hypothesis build *.egg-info
