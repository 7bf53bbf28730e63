# Coro Webhooks: every verb of the project. `make` alone lists them.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python

export PYTHONUNBUFFERED := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# --- Run ---

.PHONY: run start stop status clean-local
run: $(VENV)/.stamp-local ## Set up and run everything, until Ctrl-C
	@$(PY) -m deploy.local run

start: $(VENV)/.stamp-local ## The same in the background
	@$(PY) -m deploy.local start

stop: $(VENV)/.stamp-local ## Stop what `make start` started
	@$(PY) -m deploy.local stop

status: $(VENV)/.stamp-local ## Show what runs; fails when nothing does
	@$(PY) -m deploy.local status

clean-local: $(VENV)/.stamp-local ## Remove all data of the local stack
	@$(PY) -m deploy.local clean

.PHONY: migrate
migrate: $(VENV)/.stamp-local ## Bring the schema of CORO_DATABASE_URL up to date
	@$(PY) -m coro_events.migrate

# --- Check ---

# Tests wait more than they compute; the workers share the servers of the run.
WORKERS ?= --numprocesses=2

.PHONY: check test test-all lint types imports generated
check: lint types imports generated test-all ## All that must hold before a change is done

# Debian's Chromium, for the tests of the console; where it cannot be had they are skipped and say so, but not in CI.
.PHONY: browser
browser:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
		&& echo "Installing Chromium for the tests of the console (once) ..." \
		&& apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } \
		|| echo "Chromium is not there and could not be installed; the tests of the console need it."

test: $(VENV)/.stamp-dev browser ## Run the tests, all but the faults and the slow ones
	@$(PY) -m pytest $(WORKERS) --ignore=tests/faults -m "not slow"

test-all: $(VENV)/.stamp-dev browser ## Run every test, the faults and the slow ones too
	@$(PY) -m pytest $(WORKERS) --ignore=tests/faults
	@echo "And the faults, which want the machine for themselves:"
	@$(PY) -m pytest tests/faults

lint: $(VENV)/.stamp-dev ## Style and habits
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .

types: $(VENV)/.stamp-dev ## Types, strictly
	@$(VENV)/bin/mypy

imports: $(VENV)/.stamp-dev ## Which room may import which
	@$(VENV)/bin/lint-imports

generated: $(VENV)/.stamp-dev ## Generated files equal what they are made from
	@$(PY) -m deploy.generate --check

.PHONY: bench faults fuzz-api
bench: $(VENV)/.stamp-dev ## Measure; a table, and .local/bench/latest.json
	@$(PY) -m tests.bench

faults: $(VENV)/.stamp-dev ## Kill, cut off and slow down; a table, and .local/faults/latest.json
	@$(PY) -m tests.faults

fuzz-api: $(VENV)/.stamp-dev ## Call the API in every way its description allows, for 10 minutes; a summary
	@$(PY) -m tests.fuzz

# --- Change ---

.PHONY: format generate lock lock-jars
format: $(VENV)/.stamp-dev ## Format the code and mend what can be mended
	@$(VENV)/bin/ruff check --fix-only --quiet .
	@$(VENV)/bin/ruff format .

generate: $(VENV)/.stamp-dev ## Write the generated files anew
	@$(PY) -m deploy.generate

UV_COMPILE = $(VENV)/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-find-links --no-emit-index-url --custom-compile-command "make lock" -q
# What runs is what was tested: the packages for running take the versions of those for developing.
lock: $(VENV)/.stamp-dev ## Resolve the dependencies anew
	@$(UV_COMPILE) --extra dev -o requirements/dev.txt
	@$(UV_COMPILE) --extra local -c requirements/dev.txt -o requirements/local.txt

lock-jars: $(VENV)/.stamp-local ## Accept what Maven Central gives as Kafka's jars
	@$(PY) -m deploy.local.jars --lock

# --- Set up: a virtual environment with exactly the locked packages ---

say_failed = { echo "$(1)" >&2; exit 1; }
install = $(PY) -m pip install --quiet --require-hashes -r requirements/$(1).txt \
	|| $(call say_failed,The packages of requirements/$(1).txt could not be installed; pip said why above.)
install_self = $(PY) -m pip install --quiet --no-deps --no-build-isolation -e . \
	|| $(call say_failed,The project itself could not be installed into $(VENV); pip said why above.)

$(PY):
	@command -v $(PYTHON) >/dev/null || $(call say_failed,$(PYTHON) was not found; Coro Webhooks needs Python 3.11 or newer.)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| $(call say_failed,$(PYTHON) is too old; Coro Webhooks needs Python 3.11 or newer (set PYTHON to one).)
	@echo "Setting up $(VENV) (once, about a minute) ..."
	@$(PYTHON) -m venv $(VENV) \
		|| { rm -rf $(VENV); echo "$(PYTHON) could not make $(VENV); it may lack its venv module." >&2; exit 1; }

$(VENV)/.stamp-local: requirements/local.txt pyproject.toml | $(PY)
	@$(call install,local)
	@$(install_self)
	@touch $@

# The packages for developing include those for running.
$(VENV)/.stamp-dev: requirements/dev.txt pyproject.toml | $(PY)
	@$(call install,dev)
	@$(install_self)
	@touch $(VENV)/.stamp-local $@
