# From a checkout, with Python 3.11 or newer, Node 20 or newer, make and git:
#
#   make demo    runs the quickstart, writes a report that opens from a file, prints where it is
#   make lab     opens JupyterLab on the quickstart
#   make test    every check: linters, types, Python, JavaScript and browser tests
#   make lint    the linters and type checkers alone
#   make bench   prints the figures that the README quotes
#   make clean   removes what was built, the virtual environment too

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: setup demo lab test lint bench clean

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
STATIC := wcam_widget/show/static
BUNDLE := $(STATIC)/widget.js
# The first interpreter that starts and is new enough; a name on PATH may be a shim that does neither.
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3 python; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
JS_SOURCES := $(shell find js -path js/node_modules -prune -o -type f -print 2>/dev/null)

setup: $(VENV)/installed $(BUNDLE)

# The bundle has its own rule below, so the package's build hook need not run npm again.
$(VENV)/installed: pyproject.toml tests/constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: none was found on PATH" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --upgrade pip
	HATCH_JUPYTER_BUILDER_SKIP_NPM=1 $(PY) -m pip install --quiet --constraint tests/constraints.txt --editable ".[dev]"
	touch $@

js/node_modules/installed: js/package.json $(wildcard js/package-lock.json)
	@command -v npm >/dev/null || { echo "Node 20 or newer is needed: npm was not found on PATH" >&2; exit 1; }
	cd js && if test -f package-lock.json; then npm ci; else npm install; fi
	touch $@

$(BUNDLE): $(JS_SOURCES) js/node_modules/installed
	cd js && npm run build
	touch $@

demo: setup
	$(PY) tools/demo.py build/demo

lab: setup
	$(BIN)/jupyter lab --ServerApp.allow_root=True notebooks/quickstart.ipynb

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo
	cd js && npm run lint && npm run check

# Every check runs, also after one that failed, so that one run tells all; pytest comes last, so that its closing
# line ends the output. One thread for each worker: two pools of threads would fight over two cores.
test: setup
	@failed=""; \
	$(MAKE) --no-print-directory lint || failed="$$failed lint"; \
	(cd js && npm test) || failed="$$failed vitest"; \
	export WCAM_CHROMIUM OMP_NUM_THREADS=1; \
	WCAM_CHROMIUM="$$($(PY) tools/chromium.py)" || failed="$$failed chromium"; \
	test -z "$$failed" || echo "Failed before pytest:$$failed" >&2; \
	$(PY) -m pytest -n 2 --dist loadgroup || failed="$$failed pytest"; \
	test -z "$$failed"

bench: setup
	for file in tests/benchmarks/bench_*.py; do $(PY) "$$file"; done

clean:
	rm -rf $(VENV) js/node_modules build dist $(STATIC)
