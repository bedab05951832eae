# On a machine with nothing but Python 3.10 or newer: `make demo` or `make test`.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: demo test lint typecheck unit smoke benchmarks clean

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

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build
