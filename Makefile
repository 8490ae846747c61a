# make run | test | faults | engines | lint | bench | image | lock | clean; each sets up .venv by itself.
PYTHON ?= python3
BIN := .venv/bin
CONFIG ?= config.toml
WORKERS ?= 2

.PHONY: run test faults engines lint bench image lock clean
.DEFAULT_GOAL := run

run: .venv/ready ## watch the models of config.toml (CONFIG=other.toml for yours)
	@$(BIN)/model-monitor run --config $(CONFIG)

test: .venv/ready-to-test ## every test
	@$(BIN)/pytest -n $(WORKERS) --dist loadgroup tests

faults: .venv/ready-to-test ## kills, pauses and outages in earnest, with figures (about 20 minutes)
	@$(BIN)/pytest -n $(WORKERS) --dist loadgroup -m "long or not long" tests/faults

engines: .spark/ready ## the tests that read rows, once more on a local Spark (needs Java 17)
	@SPARK_HOME=$(CURDIR)/.spark/pyspark $(BIN)/pytest -k spark tests/data tests/acceptance/test_engines.py

lint: .venv/ready-to-test ## style, types and the direction of imports
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy monitor checks tests benchmarks
	@$(BIN)/lint-imports

bench: .venv/ready-to-test ## speed and alarm quality, side by side with the peers
	@$(BIN)/python -m benchmarks

image: ## the container image, labelled with what it was made from
	@docker build --tag model-monitor --build-arg VERSION="$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)" \
	  --build-arg REVISION="$$(git rev-parse HEAD)" --build-arg CREATED="$$(date -u +%FT%TZ)" .

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "model-monitor needs Python 3.11 or newer; try make PYTHON=python3.12")'
	@echo "Setting up .venv (once, about two minutes) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/ready-to-test: .venv/ready tests/requirements.lock
	@echo "Adding the test tools to .venv ..."
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes --no-build-isolation -r tests/requirements.lock
	@touch $@

.spark/ready: .venv/ready-to-test tests/spark.lock
	@echo "Setting up a Spark server in .spark (once, 500 MB, about a minute) ..."
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes --no-build-isolation --target .spark -r tests/spark.lock
	@touch $@

LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --python-version 3.11 --group build
lock: .venv/ready-to-test ## bring the pins up to date with pyproject.toml
	@$(LOCK) pyproject.toml -o requirements.lock
	@$(LOCK) --extra spark --group dev pyproject.toml -o tests/requirements.lock
	@echo 'pyspark>=4.0.5,<4.1' | $(LOCK) - -o tests/spark.lock

clean: ## forget the environment and the history of the example
	@rm -rf .venv .spark data
