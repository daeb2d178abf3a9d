# Everything a person needs to do here, each with one word. `make` alone says which.
#
# A fresh machine needs Python 3.11 or newer with pip, and make. The rest is set up on first use inside this folder:
# a pinned uv in .tools, the locked dependencies in .venv, Kafka and the local stack's data in .candor.

UV_VERSION := 0.13.9
VENV ?= .venv
UV ?= .tools/uv-$(UV_VERSION)/bin/uv

# A Python this workspace runs on; `make PYTHON=/path/to/python3.12 ...` decides otherwise.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null && command -v $$name && break; \
	done)

RUN := $(VENV)/bin/python -m
READY := $(VENV)/.synced
MANIFESTS := pyproject.toml uv.lock $(wildcard libs/*/pyproject.toml services/*/pyproject.toml)

# uv neither fetches a Python of its own nor minds a virtual environment that happens to be active.
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := $(VENV)
unexport VIRTUAL_ENV
unexport PYTHONHOME

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo up test bench audit check lint lint-ruff lint-format lint-types lint-imports lint-protos format protos \
	setup lock stack-lock clean clean-data

help: ## Say what there is
	@echo "Candor. The first target also sets everything up; it needs Python 3.11+ with pip."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(READY) ## See all of it work; INPUT= and RUMOURS= for your own records, KEEP=1 to keep it running
	@$(VENV)/bin/candor demo $(if $(INPUT),--input '$(INPUT)') $(if $(RUMOURS),--rumours '$(RUMOURS)') $(if $(KEEP),--keep) $(if $(TARGET),--target '$(TARGET)')

up: $(READY) ## Run Kafka, PostgreSQL, the five services and the console until Ctrl-C
	@$(VENV)/bin/candor up

test: $(READY) ## Run the tests; ARGS='-k name' chooses
	$(RUN) pytest $(ARGS)

bench: $(READY) ## Measure, each figure against its peer, and write docs/performance.md; ARGS='--only NAME', '--records N'
	$(RUN) bench $(ARGS)

audit: $(READY) ## Let an outside verifier check a log of a million entries, before and after people in it are erased
	$(RUN) bench --only generation.audit.fsck $(ARGS)

FUZZ_SECONDS ?= 600

fuzz: $(READY) ## Search every parser for faults, FUZZ_SECONDS=600 each; TARGETS='note label-png' chooses
	$(RUN) tests.fuzz.run --seconds $(FUZZ_SECONDS) $(TARGETS)

check: lint test ## What must pass before a change is proposed: lint, then tests

lint: lint-ruff lint-format lint-types lint-imports lint-protos ## All static checks

lint-ruff: $(READY) ## Style and mistakes
	$(RUN) ruff check

lint-format: $(READY) ## Layout of the code
	$(RUN) ruff format --check

lint-types: $(READY) ## Types
	$(RUN) mypy

lint-imports: $(READY) ## Who may import whom
	$(VENV)/bin/lint-imports

lint-protos: $(READY) ## The schemas, and that the generated code is theirs
	$(RUN) candor_wire.check

format: $(READY) ## Lay the code out and fix what can be fixed
	$(RUN) ruff check --fix
	$(RUN) ruff format

protos: $(READY) ## Generate libs/wire from protos/
	$(RUN) candor_wire.generate

setup: $(READY) ## Only set up: uv, virtual environment, locked dependencies

lock: $(UV) ## Resolve the dependencies again into uv.lock
	$(UV) lock

stack-lock: $(READY) ## Resolve Kafka's jars again into their lock
	$(RUN) candor_stack.lock

clean: ## Remove what was set up (the local stack's data stays)
	rm -rf $(VENV) .tools .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

clean-data: ## Remove the local stack's data, keys and logs (not the fetched Kafka)
	@test ! -d .candor || find .candor -mindepth 1 -maxdepth 1 ! -name cache -exec rm -rf {} +

# The stamp is newer than every manifest exactly when the environment matches the lock.
$(READY): $(UV) $(MANIFESTS)
	@echo "Setting up: the locked dependencies into $(VENV) (a minute or two the first time)."
	@$(UV) sync --frozen --all-packages $(if $(PYTHON),--python '$(PYTHON)') --quiet
	@touch $@

# Into a folder of its own, so that neither a missing venv module nor an externally managed Python (PEP 668) is in the way;
# moved into place when whole, so that an interrupted install is done again.
.tools/uv-$(UV_VERSION)/bin/uv:
	@test -n '$(PYTHON)' || { echo "Candor needs Python 3.11 to 3.14, and found none. Install one (Debian, Ubuntu:" \
		"apt-get install python3 python3-pip; Fedora: dnf install python3 python3-pip; macOS: brew install python)," \
		"or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@'$(PYTHON)' -m pip --version >/dev/null 2>&1 || { echo "$(PYTHON) has no pip. Install it (Debian, Ubuntu:" \
		"apt-get install python3-pip; Fedora: dnf install python3-pip; otherwise: $(PYTHON) -m ensurepip)." >&2; exit 1; }
	@echo "Setting up: uv $(UV_VERSION)."
	@rm -rf .tools/uv-$(UV_VERSION) .tools/new
	@PIP_USER=0 PIP_ROOT_USER_ACTION=ignore '$(PYTHON)' -m pip install --quiet --disable-pip-version-check --no-deps --target .tools/new uv==$(UV_VERSION)
	@mv .tools/new .tools/uv-$(UV_VERSION)
