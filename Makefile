# From a checkout, with Python 3.11 or newer, Node 20 or newer, make and git:
#
#   make demo    runs the quickstart, writes a report that opens from a file, prints where it is
#   make lab     opens JupyterLab on the quickstart
#   make docs    builds the pages in docs/ and the API reference into build/site
#   make test    every check: linters, types, Python, JavaScript and browser tests
#   make hosts   installs other notebook front ends, tries the explorer in them, prints versions and a table
#   make lint    the linters and type checkers alone
#   make bench   prints the figures of docs/benchmarks.md; PHOTOS=folder for those on real photographs
#   make clean   removes what was built, the virtual environment too

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: setup demo lab docs test hosts lint lint-python lint-types lint-js vitest bench clean

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
STATIC := wcam_widget/show/static
BUNDLE := $(STATIC)/widget.js
# The first interpreter that starts and is new enough; a name on PATH may be a shim that does neither.
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3 python; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
# What pip says, a line for each package: for a log. A terminal has pip's own progress bars.
BRIEFLY := while read -r verb name rest; do case "$$verb $$name" in Collecting*) echo "  $$name";; \
	"Installing collected") echo "  unpacking them: a minute or two";; esac; done
# Benchmarks of labelled photographs, and one that bench_real.py runs, too.
LABELLED := $(addprefix tests/benchmarks/bench_,forecast.py real.py scales.py sufficiency.py)
LONG := tests/benchmarks/bench_truth.py
JS_SOURCES := $(shell find js -path js/node_modules -prune -o -type f -print 2>/dev/null)

# Python's packages and the front end's are fetched at the same time.
setup:
	@$(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,--jobs 2) $(VENV)/installed $(BUNDLE)

# The bundle has its own rule below, so the package's build hook need not run npm again.
$(VENV)/installed: pyproject.toml tests/constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: none was found on PATH" >&2; exit 1; }
	@echo "Set-up 1 of 3: some 200 Python packages into $(VENV), PyTorch among them: three to five minutes"
	@$(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --upgrade pip
	@export HATCH_JUPYTER_BUILDER_SKIP_NPM=1; \
	install() { $(PY) -m pip install --no-compile --constraint tests/constraints.txt --editable ".[dev]"; }; \
	if test -t 1; then install; else install | $(BRIEFLY); fi
	@touch $@

js/node_modules/installed: js/package.json $(wildcard js/package-lock.json)
	@{ command -v npm && node -e 'process.exit(Number(parseInt(process.versions.node) < 20))'; } >/dev/null 2>&1 || \
	{ echo "Node 20 or newer with npm is needed: none was found on PATH" >&2; exit 1; }
	@echo "Set-up 2 of 3: packages of the front end: half a minute"
	@cd js && if test -f package-lock.json; then npm ci; else npm install; fi
	@touch $@

$(BUNDLE): $(JS_SOURCES) js/node_modules/installed
	@echo "Set-up 3 of 3: the front end itself: seconds"
	@cd js && npm run --silent build
	@touch $@

demo: setup
	$(PY) tools/demo.py build/demo

lab: setup
	$(BIN)/jupyter lab --ServerApp.allow_root=True notebooks/quickstart.ipynb

# A warning is an error; the variable silences a notice of the theme's about itself.
docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "pages    build/site/index.html"

lint: lint-types lint-python lint-js

lint-types: setup
	$(BIN)/mypy

lint-python: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-cache --no-logo

lint-js: setup
	cd js && npm run lint && npm run check

vitest: setup
	cd js && npm test

# Every check runs, also after one that failed, so that one run tells all; pytest comes last, so that its closing
# line ends the output. One thread for each worker: two pools of threads would fight over two cores.
test: setup
	@failed=""; \
	$(MAKE) --no-print-directory --keep-going --jobs 2 --output-sync lint vitest || failed=" linters or vitest"; \
	export WCAM_CHROMIUM OMP_NUM_THREADS=1; \
	WCAM_CHROMIUM="$$($(PY) tools/chromium.py)" || failed="$$failed chromium"; \
	test -z "$$failed" || echo "Failed before pytest:$$failed" >&2; \
	$(PY) -m pytest -n 2 --dist loadfile --durations 25 || failed="$$failed pytest"; \
	test -z "$$failed"

hosts: setup
	$(PY) -m pip install --quiet --constraint tests/constraints.txt --editable ".[dev,hosts]"
	export OMP_NUM_THREADS=1 WCAM_CHROMIUM="$$($(PY) tools/chromium.py)"; $(PY) -m pytest -m hosts tests
	@cat build/hosted/versions.txt; $(PY) -m tests.browser.use

bench: setup
	for file in $(filter-out $(LONG) $(LABELLED),$(wildcard tests/benchmarks/bench_*.py)); do $(PY) "$$file"; done
	@if test -n "$(PHOTOS)"; then for file in $(LABELLED); do $(PY) "$$file" --images "$(PHOTOS)"; done; \
	else echo "Left out, for they explain labelled photographs: $(LABELLED); make bench PHOTOS=folder"; fi

clean:
	rm -rf $(VENV) js/node_modules build dist $(STATIC)
