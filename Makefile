# Every target sets up what it needs: a virtual environment in .venv with the pinned versions of constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
EXAMPLE := examples/breast_cohorts
# The rivals of the benchmarks, kept out of the environment of the tests.
RIVALS := .venv-bench

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types format build bench gpu simulate clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 16

setup: $(READY)  ## make the virtual environment with everything installed

# uv resolves and unpacks the CUDA stack several times faster than pip does. The outer pip puts it there, because
# a Debian python3 with pip has no ensurepip to make a pip inside.
$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "biomark needs Python 3.11 or newer; there is no $(PYTHON) here"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "biomark needs Python 3.11 or newer, $(PYTHON) is " + sys.version.split()[0] + "; name another with: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { echo "biomark's set-up needs pip: $(PYTHON) -m pip does not work (Debian: apt install python3-pip)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv --without-pip $(VENV)
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check --constraint constraints.txt uv
	$(BIN)/uv pip install --python $(BIN)/python --constraint constraints.txt --build-constraint constraints.txt --editable '.[zoo,umap,dev]'
	@touch $@

demo: demo/preds.csv  ## the report on two real breast-cancer cohorts, then the whole road on simulated volumes
	$(BIN)/biomark report --preds demo/preds.csv --out demo/report --title "ER and PR: Rotterdam to GBSG"
	@echo "The report: $(CURDIR)/demo/report/report.html"
	rm -rf demo/simulated
	$(BIN)/biomark demo --out demo/simulated

demo/preds.csv: $(READY) $(EXAMPLE)/make_predictions.py $(EXAMPLE)/rotterdam.csv $(EXAMPLE)/gbsg.csv
	$(BIN)/python $(EXAMPLE)/make_predictions.py --out demo

test: $(READY)  ## run the tests with coverage
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --cov --cov-report=term

lint: $(READY)  ## ruff: lint and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## mypy, strict, on the package
	$(BIN)/mypy -p biomark

format: $(READY)  ## let ruff rewrite the files
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

build: $(READY)  ## the wheel and the sdist
	$(BIN)/python -m build --installer uv --outdir dist .

$(RIVALS)/.ready: $(READY) pyproject.toml constraints.txt
	test -x $(RIVALS)/bin/python || $(PYTHON) -m venv --without-pip $(RIVALS)
	$(BIN)/uv pip install --python $(RIVALS)/bin/python --constraint constraints.txt --build-constraint constraints.txt --editable '.[zoo,bench]'
	@touch $@

bench: $(RIVALS)/.ready  ## time biomark against its rivals and write benchmarks/README.md
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(RIVALS)/bin/python -m pytest -c benchmarks/pytest.ini benchmarks
	$(RIVALS)/bin/python benchmarks/page.py

gpu: $(RIVALS)/.ready  ## on a machine with a CUDA device: the tests that need it, then the networks against their rivals
	$(RIVALS)/bin/python -c 'import sys, torch; sys.exit(None if torch.cuda.is_available() else "torch finds no CUDA device here")'
	$(BIN)/python -m pytest -m gpu tests/zoo
	BIOMARK_BENCH_EPOCHS=250 $(RIVALS)/bin/python -m pytest -c benchmarks/pytest.ini benchmarks/test_training.py benchmarks/test_networks.py
	$(RIVALS)/bin/python benchmarks/page.py

simulate: $(READY)  ## simulate coverage and type I error (hours; a stopped run goes on) and write docs/simulation.md
	$(BIN)/python benchmarks/simulation/run.py
	$(BIN)/python benchmarks/simulation/page.py

clean:  ## remove what the targets made
	rm -rf $(VENV) $(RIVALS) build dist demo *.egg-info
