.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test lint format lock clean

help:  ## show this help
	@awk -F ':.*## ' '/^[a-z]+:.*##/ { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(BIN)/.demo  ## train, push, test, promote and serve the example on http://localhost:5000
	@cd examples/diabetes && PATH="$(CURDIR)/$(BIN):$$PATH" ./demo.sh

test: lint  ## run every check and test
	@$(BIN)/pytest --numprocesses 2

lint: $(BIN)/.dev  ## check style, formatting and types
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary

format: $(BIN)/.dev  ## format the code and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: $(BIN)/.uv  ## resolve the locked requirements anew
	@requirements/lock.sh $(BIN)/uv

clean:  ## remove the environment and all caches
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis dist

$(BIN)/.uv: requirements/uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Greenroom needs Python 3.11 or newer; name one: make PYTHON=python3.12")'
	@echo "→ install into .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/uv.lock
	@touch $@

$(BIN)/.demo: $(BIN)/.uv requirements/demo.lock pyproject.toml
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement requirements/demo.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(BIN)/.dev: $(BIN)/.uv requirements/dev.lock pyproject.toml
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement requirements/dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
