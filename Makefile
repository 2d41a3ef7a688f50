# What a developer types. `make help` lists the targets; nothing has to be installed before the first of them
# but Python 3.11 or newer. Everything goes into the folder VENV, at the versions and hashes in requirements/.

PYTHON ?= python3
VENV ?= .venv
PORT ?= 5001
LINESHAFT_URL ?= http://localhost:5001
ARGS ?=
SEEDS ?= 2000
FROM ?= 0
# Many tests wait, for a process or a timeout, so that three at a time keep two processors busy.
TEST_PROCESSES ?= 3

# Trust whom this machine trusts, as pip does, a company's own authority among them.
export UV_SYSTEM_CERTS ?= true

# Tests start hundreds of processes, each of which would compile hundreds of modules anew.
unexport PYTHONDONTWRITEBYTECODE

BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python
PIP_COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $(ARGS)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install run-local test lint format lock first simulate bench bench-language run-integration run-container stop-container FORCE

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo "  PYTHON=$(PYTHON) and VENV=$(VENV) choose the interpreter and where it is set up;"
	@echo "  ARGS='...' is handed on to the program that a target runs."

install: $(VENV)/.run ## Make .venv/bin/lineshaft, which starts servers and workers

run-local: $(VENV)/.run ## Start Lineshaft at http://localhost:5001 with a worker inside
	exec $(BIN)/lineshaft up --port $(PORT) $(ARGS)

test: $(VENV)/.dev ## Run the tests; ARGS='-k words' picks some, ARGS=--cov measures coverage
	$(BIN)/pytest --numprocesses $(TEST_PROCESSES) $(ARGS)

lint: $(VENV)/.dev ## Check style, formatting, types and the floors between modules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.dev ## Format the code and fix what can be fixed safely
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

lock: $(VENV)/.uv ## Bring requirements/ up to pyproject.toml; ARGS=--upgrade moves every version
	$(PIP_COMPILE) pyproject.toml --group dev --output-file requirements/dev.txt
	$(PIP_COMPILE) pyproject.toml --constraint requirements/dev.txt --output-file requirements/run.txt
	$(PIP_COMPILE) --group build --constraint requirements/dev.txt --output-file requirements/build.txt

first: ## Build the first process of containers from its source, with Debian's gcc and gcc-aarch64-linux-gnu
	src/lineshaft/executors/docker/first/build.sh

simulate: $(VENV)/.dev ## Play SEEDS=2000 fleets in which everything goes wrong, FROM=0 on, or one: SEED=17
	PYTHONPATH=tests $(BIN)/python -m simulation --seeds $(SEEDS) --from $(FROM) $(if $(SEED),--seed $(SEED)) $(ARGS)

bench: $(VENV)/.dev ## Run the benchmarks
	$(BIN)/python bench/run.py $(ARGS)

bench-language: $(VENV)/.dev ## Measure the language and the engine, without a server
	$(BIN)/python bench/language.py $(ARGS)

run-integration: $(VENV)/.dev ## Test the server running at LINESHAFT_URL over real HTTP
	LINESHAFT_URL=$(LINESHAFT_URL) $(BIN)/pytest tests/integration/http $(ARGS)

# Outside a loopback address Lineshaft refuses its default password, so the containers get one of their own, once.
.lineshaft/container.env:
	@mkdir -p $(@D)
	@umask 077; for name in LINESHAFT_PASSWORD LINESHAFT_WORKER_KEY POSTGRES_PASSWORD; do \
	  echo "$$name=$$(od -An -N 24 -t x1 /dev/urandom | tr -d ' \n')"; done > $@

run-container: .lineshaft/container.env ## Build the image; run it with PostgreSQL and a worker, on port 5001
	@echo "User admin, password $$(sed -n 's/^LINESHAFT_PASSWORD=//p' $<) (kept in $<)"
	LINESHAFT_PORT=$(PORT) docker compose --env-file $< up --build $(ARGS)

stop-container: .lineshaft/container.env ## Stop what run-container started; ARGS=--volumes deletes its data as well
	docker compose --env-file $< down $(ARGS)

# The four stamps, each inside the environment that it speaks of: the interpreter, the tools that install, what
# Lineshaft needs to run, what developing it needs. Another PYTHON than the last time makes the environment anew.
$(VENV)/.interpreter: FORCE
	@wanted="$$($(PYTHON) -c 'import sys; print(sys.base_prefix, sys.version); sys.exit(sys.version_info < (3, 11))')" \
	  || { echo "Lineshaft needs Python 3.11 or newer; '$(PYTHON)' is not. Name one: make PYTHON=..." >&2; exit 1; }; \
	test "$$wanted" = "$$(cat $@ 2>/dev/null)" \
	  || { $(PYTHON) -m venv --clear $(VENV) && echo "$$wanted" > $@; }

$(VENV)/.uv: $(VENV)/.interpreter requirements/build.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt
	@touch $@

$(VENV)/.run: $(VENV)/.uv requirements/run.txt pyproject.toml src/lineshaft/__init__.py
	$(PIP_INSTALL) --require-hashes -r requirements/run.txt
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	$(PIP_INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@
