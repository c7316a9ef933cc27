# The daily commands. `make run` needs Python 3.11 or later and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet

.PHONY: run test check eval bench lock clean format

run: $(VENV)/.run
	$(BIN)/qtic serve

test: $(VENV)/.dev
	$(BIN)/pytest -m "not browser and not postgres"

check: $(VENV)/.dev
	$(BIN)/ruff format --check bot knowledge prompts scripts benchmarks tests
	$(BIN)/ruff check bot knowledge prompts scripts benchmarks tests
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest
	$(BIN)/python scripts/check_questions.py

format: $(VENV)/.dev
	$(BIN)/ruff format bot knowledge prompts scripts benchmarks tests
	$(BIN)/ruff check --fix bot knowledge prompts scripts benchmarks tests

eval: $(VENV)/.run
	$(BIN)/qtic eval tests/questions/dev.jsonl

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

# The locks are pinned and hashed and name no index; a fresh install runs no resolver.
lock:
	uv pip compile pyproject.toml --extra build --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o requirements.lock
	uv pip compile pyproject.toml --extra build --extra dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o requirements-dev.lock

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation --no-index -e .
	touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) --require-hashes -r requirements-dev.lock
	$(PIP) --no-deps --no-build-isolation --no-index -e .
	touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
