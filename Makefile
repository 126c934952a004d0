# Tallystick: `make` alone lists the targets.

PYTHON ?= $(shell for p in python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/setup.done
TEST_ARGS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
.PHONY: help setup run loop test check coverage bench soak docs system lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## create .venv from requirements.lock (skipped while the lock is unchanged)

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: make setup PYTHON=/path/to/python" >&2; exit 2; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

run: setup ## a guided tour: one provider, two phones, real messages, and the proofs
	$(PY) -m simulators.tour

loop: setup ## a control fails beside a served provider, a risk rises, and it comes back
	$(PY) -m simulators.tour.loop

test: setup ## every test except soak; the JUnit report goes to build/junit.xml
	@$(PY) dev.py test $(TEST_ARGS)

check: setup ## format, lint, types, import contracts, unit and architecture tests
	@$(PY) dev.py check

coverage: setup ## branch coverage of every test, with a floor for each package
	@$(PY) dev.py coverage

bench: setup ## measure what the documents promise
	$(PY) -m bench

soak: setup ## the long form of the fault and load tests
	$(PY) -m bench.soak

docs: setup ## write the generated pages of docs/reference
	@$(PY) dev.py docs

system: setup ## install (as root with CI set) or name the system packages that tests use
	@$(PY) dev.py system

lock: setup ## resolve requirements.lock again from pyproject.toml
	$(PY) -m pip install --quiet --disable-pip-version-check uv
	$(VENV)/bin/uv pip compile pyproject.toml --extra dev --generate-hashes --no-emit-index-url \
		--no-header --python-version 3.11 -o requirements.lock

clean: ## remove what builds and tests leave; the environment stays
	rm -rf build dist var .coverage .coverage.* .pytest_cache .hypothesis .mypy_cache .ruff_cache \
		.import_linter_cache .schemathesis
