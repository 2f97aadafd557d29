# Everything that is done to this tree has a target here; `make help` lists them.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALLED := .venv/.installed
COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options \
	--no-header --annotation-style=line $(UPGRADE)

# In the order of the files, in which the slow ones are not last. A worker that hung is not
# replaced, for the next one would be given the same test.
SIDE_BY_SIDE := --numprocesses 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0

NODE_PACKAGES := tests/npm/node_modules/.installed

.DEFAULT_GOAL := help

# Programs start a good deal faster with compiled modules, and the tests start many.
unexport PYTHONDONTWRITEBYTECODE
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help install tools demo dev test soak bench lint format types contracts db lock clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Make .venv with everything that the targets below need

# A pinned package can't bring in one that is not pinned: --no-deps, and pip checks the rest.
$(INSTALLED): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("JIMM needs Python 3.11 or newer: make PYTHON=python3.11 ..." if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "That Python can't make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing into .venv ..."
	@$(PIP) install --quiet --require-hashes --no-deps --requirement requirements/dev.txt
	@$(PIP) install -qq --no-deps --no-build-isolation --editable .
	@$(PIP) check
	@touch $@

# No script of a package is run: the compiled parts that some would build are optional.
$(NODE_PACKAGES): tests/npm/package-lock.json
	@echo "Installing into tests/npm ..."
	@cd tests/npm && npm ci --ignore-scripts --loglevel=error >/dev/null
	@touch $@

# Without them the tests that need them are skipped, but never in CI (tests/fix_node.py,
# tests/system/web/chromium.py).
tools: ## Install what the tests run under Node.js, and say whether a browser is missing
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(NODE_PACKAGES); else \
		echo "No npm here: tests with an identity provider and with the Dashboard's library are"; \
		echo "skipped. On Debian: apt-get install nodejs npm (Node.js 18 or newer)"; fi
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null || { \
		echo "No Chromium here: tests in a browser are skipped."; \
		echo "On Debian: apt-get install chromium chromium-driver"; }

demo: install ## Show the main job: controllers, models, a migration, with real clients
	@$(BIN)/python -m jimm.demo

dev: install ## Run JIMM with Postgres and three simulated controllers, data in .dev
	@$(BIN)/jimm dev --data .dev --port 17070

test: install tools lint types contracts ## Run every check and every test but the soak tests
	@$(BIN)/python -m pytest -m "not soak" $(SIDE_BY_SIDE)

soak: install ## Run the tests that take too long for every change
	@$(BIN)/python -m pytest -m soak

bench: install ## Measure JIMM beside HAProxy (QUICK=1 for the goals alone; ONLY=pipe,logins)
	@$(BIN)/python -m bench $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY))

lint: install ## Check style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: install ## Mend style and formatting where it can be done safely
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: install ## Check types, strictly, in code and tests
	@$(BIN)/mypy

contracts: install ## Check that imports point down
	@$(BIN)/lint-imports

db: install ## Show the commands for the database schema
	@$(BIN)/jimm db --help

lock: install ## Pin what pyproject.toml asks for (UPGRADE=--upgrade takes newer versions)
	@$(COMPILE) --output-file requirements/runtime.txt pyproject.toml
	@$(COMPILE) --all-build-deps --only-build-deps --output-file requirements/build.txt pyproject.toml
	@$(COMPILE) --all-build-deps --all-extras --output-file requirements/dev.txt pyproject.toml

clean: ## Remove .venv, caches and build results; the data in .dev stay
	@rm -rf .venv build dist bench/bin *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache tests/npm/node_modules
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
