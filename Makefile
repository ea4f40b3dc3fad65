# `make help` lists the targets. Each does its own set-up.
SHELL := /bin/bash
VENV  := .venv
BIN   := $(VENV)/bin
STAMP := $(VENV)/.installed
NODE_STAMP := node_modules/.installed
PYTHON ?= python3.11
ARGS  ?=

.PHONY: help setup demo test chaos ui fuzz markets docs check format messages bench notebooks screenshots install-check constraints clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: $(STAMP) ## make .venv with all that is needed

# uv is used where it is present; where it is not, a venv of the standard library gets it for itself. Debian keeps
# what venv needs in a package of its own.
$(STAMP): pyproject.toml constraints.txt
	@set -e; \
	if command -v uv >/dev/null 2>&1; then \
	  uv=uv; test -x $(BIN)/python || uv venv --quiet --python $(PYTHON) $(VENV); \
	else \
	  python=$$(command -v $(PYTHON) || echo python3); \
	  if ! test -x $(BIN)/pip && ! $$python -c "import ensurepip" 2>/dev/null && test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
	    apt-get install --yes --quiet=2 python3-venv >/dev/null || { apt-get update --quiet=2 && apt-get install --yes --quiet=2 python3-venv >/dev/null; }; \
	  fi; \
	  test -x $(BIN)/pip || $$python -m venv $(VENV) || { \
	    echo "cannot make a virtual environment: on Debian, apt-get install python3-venv, or put uv on the PATH" >&2; exit 1; }; \
	  test -x $(BIN)/uv || $(BIN)/pip install --quiet --disable-pip-version-check "uv>=0.5"; \
	  uv=$(BIN)/uv; \
	fi; \
	echo "installing into $(VENV) ..."; \
	VIRTUAL_ENV=$(VENV) $$uv pip install --quiet --compile-bytecode --constraint constraints.txt --editable '.[notebook,local,dev]'
	@touch $@

demo: $(STAMP) ## the whole job on the local stack, then the dashboard (ARGS=--once stops after the job)
	@$(BIN)/chimera demo $(ARGS)

test: $(STAMP) ## every test this machine can run (ARGS= for pytest, such as ARGS=tests/unit; SERVICES=8 on more cores)
ifeq ($(ARGS),)
	@SERVICES=$(SERVICES) $(BIN)/python -m tests.suite
else
	@$(BIN)/python -m pytest $(ARGS)
endif

chaos: $(STAMP) ## kills, outages, clock steps, pairs of jobs: what stands afterwards is compared (ARGS=--scale=0.1)
	@$(BIN)/python -m tests.chaos $(ARGS)

ui: $(STAMP) ## the widgets in JupyterLab and Voilà, in a real browser (Debian: apt-get install chromium)
	@$(BIN)/python -m pytest tests/ui $(ARGS)

fuzz: $(STAMP) ## codecs and line splitting against the standard library (ARGS="--seconds 600 --seed N")
	@$(BIN)/python -m tests.fuzz $(ARGS)

check: $(STAMP) ## format, lint, types, import direction; of the front end lint and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@if command -v node >/dev/null && command -v npm >/dev/null && $(MAKE) --silent $(NODE_STAMP); then \
	  node_modules/.bin/biome lint --error-on-warnings && node_modules/.bin/tsc --project .; \
	elif test "$$CI" = true; then \
	  echo "the front end cannot be checked: node and npm, or what package.json names, are not here" >&2; exit 1; \
	else \
	  echo "left out: lint and types of the front end, since node and npm, or what package.json names, are not here"; \
	fi

# Only what checks the front end; nothing that runs, here or at a user's, is made of it.
$(NODE_STAMP): package.json
	@npm install --no-package-lock --no-audit --no-fund --silent
	@touch $@

markets: $(STAMP) ## Betfair's views against betfairlightweight, at every publish time (ARGS="--made-up 200")
	@$(BIN)/python -m tests.markets $(ARGS)

docs: $(STAMP) ## the documentation as a site in build/site; warnings are errors, links are checked
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet

format: $(STAMP) ## rewrite the code in the house format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

messages: $(STAMP) ## write the page's types of the widgets' messages again (messages.d.ts)
	@$(BIN)/python -m tests.front_end.typescript

bench: $(STAMP) ## ratios against peers, side by side in one run
	@$(BIN)/python -m benchmarks $(ARGS)

notebooks: $(STAMP) ## run the notebooks again, and store them with their outputs
	@$(BIN)/python -m tests.notebooks.store

screenshots: $(STAMP) ## take the pictures in docs/screenshots again, in a real browser
	@$(BIN)/python -m pytest -q tests/ui/screenshots.py $(ARGS)

install-check: $(STAMP) ## install the built wheel as people do, and try it (PYTHON="python3.12 python3.13", ARGS=--unpinned)
	@$(BIN)/python -m tests.install $(PYTHON) $(ARGS)

constraints: ## renew constraints.txt from the ranges in pyproject.toml
	@uv=$$(command -v uv || echo $(BIN)/uv); \
	$$uv pip compile --quiet --universal --python-version 3.11 --all-extras --upgrade --no-header --no-annotate \
	  --no-emit-index-url --no-emit-find-links pyproject.toml -o constraints.txt

clean: ## remove what make made
	rm -rf $(VENV) node_modules build dist ./*.egg-info .mypy_cache .ruff_cache .pytest_cache
