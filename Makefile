# Two commands matter: `make run` and `make test`. Each makes its own environment in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= ../shared/train
GOLD ?= ../shared/gold
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help env run test lint bench eval train schemas clean

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/.done: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q torch==2.13.0
	$(BIN)/pip install -q -e '.[dev]'
	touch $@

env: $(VENV)/.done ## make .venv with everything that running and testing needs

run: env ## broker, all services and the sample stories: events as they come, then a summary
	$(BIN)/demarche up

test: env ## lint, types and all tests
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

lint: env ## format and mend what ruff can mend, then check types
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .
	$(BIN)/mypy

schemas: env ## write schemas/v1 (JSON Schema, AsyncAPI) from the models
	$(BIN)/python -m schemas.generate

bench: env ## rates, as ratios of things run in turn in one run
	$(BIN)/python -m bench

eval: env ## score the model and the whole line on GOLD (development sets), and the identity of stories
	$(BIN)/python -m training.evaluate $(GOLD)
	$(BIN)/python -m training.stories

train: env ## train the weights from training/data and DATA
	$(BIN)/pip install -q -e '.[train]'
	$(BIN)/python -m training.train --data $(DATA)

clean: ## remove the environment and local state
	rm -rf $(VENV) .demarche
