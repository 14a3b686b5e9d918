# Everything a developer runs. `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO ?= movies
ROUNDS ?= 20
WORKERS ?= 2
export CLEW_HOME ?= .clew
# Compiled Python is kept, whatever the machine's default: without it each start of `clew` compiles all its imports anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo check test chaos bench bench-quality serve docs lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Clew needs Python 3.11 or newer; try: make PYTHON=python3.12 setup")'
	@echo "setting up $(VENV) (about 6 GB on disk, most of it torch) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --require-hashes requirements.lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --editable .
	@touch $(STAMP)

setup: $(STAMP) ## make the virtual environment

demo: $(STAMP) ## load a data set, train, serve on port 8080 (DEMO=movies or DEMO=retail)
	@$(BIN)/clew demo $(DEMO)

check: $(STAMP) ## lint, types, import rules, generated pages
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports
	@$(BIN)/pyright
	@$(BIN)/python -m clew.reference --check

test: $(STAMP) ## every test, on real servers (WORKERS=2 processes, each with a Neo4j of its own)
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

chaos: $(STAMP) ## kill -9 of every process under load, ROUNDS=20 times
	@CLEW_TEST_ROUNDS=$(ROUNDS) $(BIN)/python -m pytest tests/chaos -p no:randomly --log-cli-level=INFO

bench: $(STAMP) ## the benchmarks; results go to benchmarks/results/
	@$(BIN)/python -m benchmarks

bench-quality: $(STAMP) ## quality rows without a result, and docs/quality.md (ROWS="lastfm ml-100k.ease", ARGS="--again")
	@$(BIN)/python -m benchmarks.quality $(ROWS) $(ARGS)

serve: $(STAMP) ## serve the API on what is in CLEW_HOME
	@$(BIN)/clew serve

docs: $(STAMP) ## write the reference pages and .env.example from the code
	@$(BIN)/python -m clew.reference

lock: $(STAMP) ## resolve pyproject.toml again into the lock files
	@$(BIN)/uv pip compile --quiet --upgrade --all-extras --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml --output-file requirements.lock
	@$(BIN)/uv pip compile --quiet --extra kafka --extra redis --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --constraint requirements.lock pyproject.toml --output-file requirements-serve.lock

clean: ## remove the virtual environment (CLEW_HOME stays)
	rm -rf $(VENV)
