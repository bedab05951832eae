# On a machine with nothing but Python 3.10 or newer: `make demo` or `make test`.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: demo test lint typecheck unit smoke benchmarks lowest lock licences audit clean

# The versions that the tests run with; LOCK=/dev/null takes the newest that pyproject.toml allows.
LOCK   ?= constraints/ci.txt

demo: $(VENV)/installed          ## a search on builtin data, half a minute, and its report
	$(BIN)/gru-tune run configs/quickstart.yaml

test: lint typecheck unit smoke  ## everything CI checks

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

typecheck: $(VENV)/dev
	$(BIN)/mypy

unit: $(VENV)/dev
	$(BIN)/python -m pytest -n 2 --dist worksteal
	KERAS_BACKEND=tensorflow $(BIN)/python -m pytest -n 2 --dist worksteal tests/learning

smoke: $(VENV)/dev               ## the smallest real search, end to end, through the command line
	$(BIN)/gru-tune run configs/smoke.yaml --fresh --out build/smoke
	$(BIN)/gru-tune report build/smoke

benchmarks: $(VENV)/dev          ## the tables of docs/results.md; about an hour
	$(BIN)/python -m benchmarks.real
	$(BIN)/python -m benchmarks.overhead
	$(BIN)/python -m benchmarks.proposals

lowest: $(VENV)/tools            ## the smallest search with the oldest versions that the bounds allow, on both backends
	$(BIN)/uv venv --quiet --allow-existing $(VENV)/lowest
	$(BIN)/uv pip install --quiet --resolution lowest-direct --python $(VENV)/lowest/bin/python --editable .
	for backend in jax tensorflow; do \
	  $(VENV)/lowest/bin/gru-tune run configs/smoke.yaml --fresh --out build/lowest --set training.backend=$$backend || exit 1; \
	done

lock: $(VENV)/tools              ## the newest versions that the bounds allow, for every Python, into constraints/ci.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.10 --extra dev --no-annotate \
	  --no-emit-package gru-tune --custom-compile-command 'make lock' pyproject.toml --output-file constraints/ci.txt

licences: $(VENV)/dev            ## the licence of every dependency into docs/dependencies.md, and whether it is a known one
	$(BIN)/python -m pip install --quiet --editable '.[gp,dashboard]'
	$(BIN)/python constraints/licences.py > docs/dependencies.md

audit: $(VENV)/tools             ## whether a version of the lock has a known vulnerability; needs the network
	@mkdir -p build
	@if $(BIN)/pip-audit --strict --no-deps --disable-pip --requirement constraints/ci.txt > build/audit.txt 2>&1; then \
	  echo "no known vulnerability in constraints/ci.txt"; \
	elif grep --quiet 'known vulnerabilit' build/audit.txt; then \
	  cat build/audit.txt; exit 1; \
	else \
	  echo "the audit could not be made, the database of vulnerabilities cannot be asked from here: see build/audit.txt"; exit 1; \
	fi

$(VENV)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	touch $@

$(VENV)/installed: $(VENV)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/dev: $(VENV)/python pyproject.toml $(LOCK)
	$(BIN)/python -m pip install --quiet --constraint $(LOCK) --editable '.[dev]'
	touch $@

$(VENV)/tools: $(VENV)/python
	$(BIN)/python -m pip install --quiet uv pip-audit
	touch $@

clean:
	rm -rf $(VENV) build
