# Everything a person does here; each command says what it does in `make help`.
# Wants Python 3.11 or newer (set PYTHON to choose one) and nothing else: the rest goes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/runtime.installed
DEV := $(VENV)/dev.installed
# Trust what the machine trusts, as pip does: many companies have a certificate of their own.
export UV_SYSTEM_CERTS := true

.DEFAULT_GOAL := help
.PHONY: help run run-fresh stop demo test faults soak mutate-ledger record-ledger bench bench-admin check fmt clean

help: ## show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

run: $(RUNTIME) ## start everything and say where it is; Ctrl-C ends it and keeps the data
	@$(BIN)/python -m local_stack run

run-fresh: $(RUNTIME) ## forget the data of earlier runs, then run
	@$(BIN)/python -m local_stack forget
	@$(BIN)/python -m local_stack run

stop: $(RUNTIME) ## end what `make run` runs in another terminal
	@$(BIN)/python -m local_stack stop

demo: $(RUNTIME) ## tell eight purchases, ask Stripe about each, and close the books of one
	@$(BIN)/python -m local_stack demo

test: $(DEV) ## run all tests, those in a browser too; the last line sums up
	@$(BIN)/python -m tests.run $(ARGS)

faults: $(DEV) ## run every test that breaks something on purpose, the long ones too
	@$(BIN)/python -m tests.faults_run $(ARGS)

soak: $(DEV) ## play 20,000 random steps of everybody's on the product; goes on where it was stopped
	@$(BIN)/python -m tests.soak

mutate-ledger: $(DEV) ## make every leg of every posting rule wrong in every way: none may go unseen
	@$(BIN)/python -m tests.mutation

record-ledger: $(DEV) ## record anew what mutate-ledger works on, when a posting rule or a golden has changed
	@$(BIN)/python -m tests.mutation.record

bench: $(RUNTIME) ## what a decision costs, beside the floor of this machine; about seven minutes
	@$(BIN)/python -m bench $(ARGS)

bench-admin: $(RUNTIME) ## what the back office takes with 1,000,000 purchases; about a quarter of an hour
	@$(BIN)/python -m bench --only admin $(ARGS)

check: $(DEV) ## format, lint, types, import rules and all tests: what a change has to pass
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.run $(ARGS)

fmt: $(DEV) ## format, and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean: ## delete what was installed and cached; the data stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# uv installs from the lock in a third of pip's time. Its version is the one whose own build
# backend pyproject.toml asks for, so that nothing more is fetched to install this project.
$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "This wants Python 3.11 or newer and $(PYTHON) is not:" \
	    "set PYTHON to one that is, as in: make run PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments: install its venv package" \
	    "(python3-venv on Debian and Ubuntu), or set PYTHON to another one." >&2; exit 2; }
	@echo "Making $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check 'uv>=0.13,<0.14'

$(RUNTIME): requirements.lock pyproject.toml | $(BIN)/uv
	@echo "Installing what $< pins …"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -r $<
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME) | $(BIN)/uv
	@echo "Installing what $< pins …"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -r $<
	@touch $@
