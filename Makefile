# make report: the study, from nothing to reports/report.pdf.   make help: everything else.
# make compare A=<revision> B=<revision>: two experiments, to reports/compare.pdf.
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

# pip refuses a file that the lock has no hash of, and builds with the setuptools of the lock.
INSTALL := python -m pip install --quiet --no-build-isolation
LOCKED := $(INSTALL) --require-hashes --requirement
LOCK := uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-emit-package smallsight --annotation-style line \
	--custom-compile-command 'make lock'
PYTEST := python -m pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder
FAST := 'not dvc and not browser and not page and not simulation'

.PHONY: help inspect report compare check verify faults pictures requests fiftyone bench test test-fast lint \
	lock audit sbom test-oldest clean
.DEFAULT_GOAL := help

help: ## say what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-11s %s\n", $$1, $$2}'

inspect: $(BIN)/.installed ## look at the data, the sample, its power and the time it takes, before any work: reports/inspect.html
	@python tools/inspect_data.py
	@echo
	@echo "HTML: $(CURDIR)/reports/inspect.html"

report: $(BIN)/.installed ## run the study and write reports/report.pdf and reports/report.html
	@python tools/system_libraries.py
	@python tools/check_start.py
	dvc --wait-for-lock repro
	@echo
	@echo "PDF:  $(CURDIR)/reports/report.pdf"
	@echo "HTML: $(CURDIR)/reports/report.html"

# Make passes A and B on in the environment, where no shell reads them as code.
compare: $(BIN)/.installed ## compare A=<revision> with B=<revision>, or with what is on disk: reports/compare.pdf
	@test -n "$$A" || { echo "make compare A=<revision> B=<revision>: branches, tags, commits or experiments"; exit 1; }
	@python tools/system_libraries.py
	@python tools/compare.py "$$A" $${B:+"$$B"}
	@echo
	@echo "PDF:  $(CURDIR)/reports/compare.pdf"
	@echo "HTML: $(CURDIR)/reports/compare.html"

check: $(BIN)/.installed ## hold the study against the limits in params.yaml: reports/limits.xml
	@python tools/check_limits.py

# Make passes the options on in the environment, where no shell reads them as code.
verify: $(BIN)/.installed ## hash what is stored, then run the commit anew elsewhere and compare; VERIFY=--stored for the first alone
	@python tools/verify_study.py $$VERIFY

pictures: $(BIN)/.installed ## unpack archives of rendered pictures into the folder pictures
	@python tools/unpack_pictures.py

requests: $(BIN)/.installed ## render, and write requests.csv: what a table of predictions has to answer
	@python tools/write_requests.py

# Make passes the name on in the environment, where no shell reads it as code.
fiftyone: $(BIN)/.installed ## keep the study in FiftyOne's database: make fiftyone NAME=<dataset>
	@test -n "$$NAME" || { echo "make fiftyone NAME=<dataset>"; exit 1; }
	@python tools/fiftyone_dataset.py write "$$NAME"

# Make passes the options on in the environment, where no shell reads them as code.
bench: $(BIN)/.installed-dev ## time the study beside a plain one: make bench BENCH="--objects 60 --rounds 1" for a short one
	@python tools/system_libraries.py
	@python benchmarks/bench.py $$BENCH

# Make passes the options on in the environment, where no shell reads them as code.
faults: $(BIN)/.installed-dev ## do harm to a small study and see what is lost: make faults FAULTS="--short --tries 1" for a short one
	@python tools/system_libraries.py
	@python benchmarks/faults.py $$FAULTS

test: $(BIN)/.installed-dev ## run all tests
	@python tools/system_libraries.py
	$(PYTEST)

test-fast: $(BIN)/.installed-dev ## run the tests without DVC, a browser, whole pages and simulations
	@python tools/system_libraries.py
	$(PYTEST) -m $(FAST)

lint: $(BIN)/.installed-dev ## check style, the order of the folders, and types
	ruff check
	ruff format --check
	lint-imports
	mypy

# Make passes the options on in the environment, where no shell reads them as code.
lock: $(BIN)/.installed-dev ## lock what pyproject.toml asks for: make lock UPGRADE=--upgrade takes newer versions
	$(LOCK) $$UPGRADE --extra dev --group build --output-file requirements/dev.lock pyproject.toml
	$(LOCK) --group build --constraints requirements/dev.lock --output-file requirements/study.lock pyproject.toml
	$(LOCK) --group build --constraints requirements/dev.lock --output-file requirements/build.lock

audit: $(BIN)/.installed-dev ## ask a public database for known vulnerabilities of what is locked; no answer is a failure
	@python tools/audit.py

sbom: $(BIN)/.installed-dev ## list what a study installs, as CycloneDX: reports/sbom.json
	@python -W ignore -m cyclonedx_py requirements --pyproject pyproject.toml --output-reproducible \
		--output-file reports/sbom.json requirements/study.lock
	@echo "JSON: $(CURDIR)/reports/sbom.json"

# No lock holds these versions, so no hash is checked: nothing but tests runs there.
test-oldest: $(BIN)/.installed-dev ## run the fast tests with the oldest versions that pyproject.toml allows, in .venv-oldest
	uv venv --quiet --clear --python 3.11 --no-python-downloads .venv-oldest
	uv pip install --quiet --python .venv-oldest --resolution lowest-direct --editable '.[dev]'
	PATH="$(CURDIR)/.venv-oldest/bin:$$PATH" $(PYTEST) -m $(FAST)

clean: ## remove the environments; dvc gc cleans the cache of results
	rm -rf .venv .venv-oldest

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv

$(BIN)/.installed: pyproject.toml requirements/build.lock requirements/study.lock | $(BIN)/python
	$(LOCKED) requirements/build.lock
	$(LOCKED) requirements/study.lock
	$(INSTALL) --no-deps --editable .
	@touch $@

$(BIN)/.installed-dev: pyproject.toml requirements/build.lock requirements/dev.lock | $(BIN)/python
	$(LOCKED) requirements/build.lock
	$(LOCKED) requirements/dev.lock
	$(INSTALL) --no-deps --editable .
	@touch $@ $(BIN)/.installed
