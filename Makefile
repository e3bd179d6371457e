# One command for each wish; `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
# The first Python of at least 3.11 on this machine.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
STAMP := $(VENV)/.installed
PYTEST_ARGS ?= -n auto

.PHONY: help setup demo test check format bench lock docs servers clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with the duly command in it (seconds when nothing changed)

$(STAMP): requirements/dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Duly needs Python 3.11 or newer on the PATH; found none. Install it, or say where it is: make setup PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "Python's venv module is incomplete here; on Debian: apt-get install python3-venv"; rm -rf $(VENV); exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

demo: setup ## show the main job: letters in, cases, acknowledgements, nudges (embedded SQLite, nothing else needed)
	@$(BIN)/duly demo

servers: setup ## find (or install, as root on Debian) the real servers that the tests talk to
	@$(BIN)/python tests/servers.py

test: setup servers ## run every test
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

check: setup ## ruff, mypy strict, floors of the house, formatting, docs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tests/docs/check.py

format: setup ## put the code into its form
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

docs: setup ## write the generated pages anew (docs/procedure.md)
	@$(BIN)/duly policy --markdown > docs/procedure.md

bench: setup ## measure speed and size as ratios, side by side in one run
	@$(BIN)/python -m bench

lock: setup ## pin every dependency anew, with hashes and without index addresses
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml --group dev -o requirements/dev.txt

clean: ## remove what the other targets made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
