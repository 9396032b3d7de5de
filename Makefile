# Two commands matter: `make run` and `make test`. Each makes its own environment in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
AUDIT := .venv-audit
TORCH := torch==2.13.0
PIP_AUDIT := pip-audit==2.10.1
DATA ?= ../shared/train
GOLD ?= ../shared/gold
KILLS ?= 1000
INPUTS ?= 100000
SEED ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help env run test lint bench soak fuzz fuzz-normalize eval train schemas constraints audit clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(VENV)/.done: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -c constraints.txt $(TORCH)
	$(BIN)/pip install -q -c constraints.txt -e '.[dev]'
	touch $@

env: $(VENV)/.done ## make .venv with everything that running and testing needs

run: env ## broker, all services and the sample stories: events as they come, then a summary
	$(BIN)/demarche up

test: env ## lint, types and all tests
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2

fuzz: env ## INPUTS hostile articles, drawn from SEED, through normalize, resolve and track; a table at the end
	$(BIN)/python -m tests.hostile --inputs $(INPUTS) --seed $(SEED) --keep .demarche/hostile

fuzz-normalize: env ## normalize under atheris, INPUTS runs guided by coverage
	$(BIN)/pip install -q -c constraints.txt -e '.[fuzz]'
	$(BIN)/python -m tests.hostile.guided -runs=$(INPUTS) -seed=$(SEED) -timeout=10 -rss_limit_mb=4096

lint: env ## format and mend what ruff can mend, then check types
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .
	$(BIN)/mypy

schemas: env ## write schemas/v1 (JSON Schema, AsyncAPI) from the models
	$(BIN)/python -m schemas.generate

bench: env ## all benchmarks, most of an hour on an idle machine: a table and a plot in bench/results; QUICK=1 to try it
	$(BIN)/python -m bench $(if $(QUICK),--quick)

soak: env ## crash schedules until KILLS kills, from SEED on; DEMARCHE_BOOTSTRAP=host:port for brokers of your own
	$(BIN)/python -m tests.crash --kills $(KILLS) --seed $(SEED)

eval: env ## score the model and the whole line on GOLD (development sets), and the identity of stories
	$(BIN)/python -m training.evaluate $(GOLD)
	$(BIN)/python -m training.stories

train: env ## train the weights from training/data and DATA
	$(BIN)/pip install -q -c constraints.txt -e '.[train]'
	$(BIN)/python -m training.train --data $(DATA)

# The local part of a version (torch's +cpu) goes: a constraint without it takes any build of that version. What torch's
# CUDA build brings along is pinned by torch itself. A package that both environments have has one version.
constraints: ## pin what pyproject.toml asks for and all that it brings along: constraints.txt anew
	$(PYTHON) -m venv $(VENV) && $(PYTHON) -m venv $(AUDIT)
	$(BIN)/pip install -q $(TORCH)
	$(BIN)/pip install -q -e '.[dev,train]'
	$(BIN)/pip freeze --all --exclude pip --exclude-editable >$(AUDIT)/pins
	$(AUDIT)/bin/pip install -q -c $(AUDIT)/pins $(PIP_AUDIT)
	$(AUDIT)/bin/pip freeze >>$(AUDIT)/pins
	{ echo '# Made by `make constraints`; to take newer releases of everything: make clean constraints'; \
	  sed 's/+[^+]*$$//' $(AUDIT)/pins | LC_ALL=C sort -fu; } >constraints.txt

$(AUDIT)/.done: constraints.txt
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/pip install -q -c constraints.txt $(PIP_AUDIT)
	touch $@

audit: $(AUDIT)/.done ## ask PyPI for known vulnerabilities of all pinned packages
	@.ci/audit $(AUDIT)/bin/pip-audit constraints.txt

clean: ## remove the environment and local state
	rm -rf $(VENV) $(AUDIT) .demarche
