# Everything a working copy needs is made here, in .venv; only Python >= 3.11 and make have to be there.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO := demo.db
BENCH_VENV := .venv-bench
BENCH_NODE := benchmarks/peers/node
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: install demo serve test fast lint format test-pythons bench lock clean

install: $(STAMP)  ## install everything into .venv (quick the second time)

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "catalog needs Python 3.11 or newer; install it, or name it: make PYTHON=/path/to/python3"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: install  ## serve a catalogue of a hundred classics
	$(BIN)/catalog demo --storage sqlite:///$(DEMO)

serve: install  ## serve ./catalog.db
	$(BIN)/catalog serve

# One more than there are processors: many tests wait for servers.
WORKERS ?= $(shell $(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)')

test: install lint  ## every check and every test
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup

fast: install  ## the tests that need no database, no server and no time
	$(BIN)/pytest -q -m "not slow" tests/unit

lint: install  ## style, types, and the direction of dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-cache

format: install  ## let ruff put everything in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test-pythons:  ## the tests on every Python from 3.11 that this machine has
	@for v in 3.11 3.12 3.13; do \
		if python$$v -c '' 2>/dev/null; then \
			echo "== Python $$v"; $(MAKE) --no-print-directory install VENV=.venv-$$v PYTHON=python$$v && \
			.venv-$$v/bin/pytest -q -n auto --dist loadgroup || exit 1; \
		else echo "== Python $$v is not here"; fi; \
	done

bench: install $(BENCH_VENV)/.installed $(BENCH_NODE)/node_modules/.installed  ## against peers; ARGS="--quick", "--scale 10", "--growth" ...
	$(BIN)/python -m benchmarks.compare $(ARGS)

$(BENCH_VENV)/.installed: benchmarks/peers/requirements.lock
	test -x $(BENCH_VENV)/bin/python || $(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --quiet --require-hashes -r benchmarks/peers/requirements.lock
	@touch $@

$(BENCH_NODE)/node_modules/.installed: $(BENCH_NODE)/package-lock.json
	@mkdir -p $(@D)
	@if ! command -v npm >/dev/null; then echo "npm is not here, so the benchmark leaves Node out"; \
	elif cd $(BENCH_NODE) && npm ci --silent --no-audit --no-fund; then touch node_modules/.installed; \
	else echo "npm ci has failed, so the benchmark leaves Node out"; fi

lock: install  ## resolve the dependencies of pyproject.toml, and of the benchmark's peers, anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes \
		--no-emit-index-url --no-header --output-file requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --constraint requirements.lock --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --output-file benchmarks/peers/requirements.lock \
		benchmarks/peers/requirements.in

clean:  ## remove what was made, the demo's catalogue too
	rm -rf $(VENV) .venv-3.* $(BENCH_VENV) $(BENCH_NODE)/node_modules .bench dist $(DEMO) $(DEMO)-* .mypy_cache .ruff_cache .pytest_cache .hypothesis
