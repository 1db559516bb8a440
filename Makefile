# What one does with a checkout. Each target does all of its own set-up; `make help` lists them.
# A target is a few lines: what needs more is a script in scripts/ or a verb of the program.

BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-cluster lint fix docs bench lock

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

setup: .venv/run.stamp ## install what the program needs: .venv/bin/pharos

demo: setup ## a simulated campus, computed and served; ARGS="--no-serve …" are passed on
	@$(BIN)/pharos demo $(ARGS)

test: .venv/dev.stamp ## all tests; ARGS="tests/lake -k late …" are passed on
	@scripts/system-packages
	@$(BIN)/python -m pytest -n 3 --dist loadgroup --no-loadscope-reorder $(ARGS)

test-cluster: .venv/dev.stamp ## what takes long: lakes in buckets, a writer killed at every moment
	@$(BIN)/python -m pytest -n 2 --dist loadgroup -m cluster $(ARGS)

lint: .venv/dev.stamp ## style, types, import direction, generated documents
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python scripts/documents.py --check
	$(BIN)/python scripts/definitions.py --check

fix: .venv/dev.stamp ## format, and repair what can be repaired
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/dev.stamp ## write the generated parts of docs/
	$(BIN)/python scripts/documents.py

bench: .venv/dev.stamp ## measure speed and memory
	$(BIN)/python benchmarks $(ARGS)

lock: ## choose the newest allowed versions of everything (needs uv)
	scripts/lock

.venv/run.stamp: requirements/run.txt pyproject.toml scripts/environment
	@scripts/environment run

.venv/dev.stamp: requirements/dev.txt .venv/run.stamp
	@scripts/environment dev
