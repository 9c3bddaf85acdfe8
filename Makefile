# Sets the machine up and runs the project's commands; `make help` explains. tools/setup.sh does the setting up.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:

BIN := .venv/bin
CORES ?= all
CONFIG ?=
IMAGES ?= cifar10
PRECISION ?= fp32
OVERLAY = $(if $(CONFIG),--configfile $(CONFIG))

# Times on 2 cores with a quick network; a second run of any set-up takes no time.
define HELP
target             what                                                          time       disk
make report        set up, then everything: open results/desk/index.html       20-45 min   0.4 GB
                   another run: make report CONFIG=config/smoke.yaml CORES=4
make cifar         train the fast recipe for CIFAR-10, and a page about it         60 min      0.5 GB
                   what it trains on, and in: make cifar IMAGES=cifar10_jpeg PRECISION=bf16
make reference     the shipped trainings on CIFAR-10's images as tables and report  2 min      50 MB
make smoke         the same on tiny grids and bundled data                       4-14 min   50 MB
make test          set up, then all tests                                       20-45 min   0.1 GB
make quick         the tests that import everything and run each part once      30-300 s   -
make slurm-test    as root: the tests on a Slurm cluster, set up just for them   3 min      -
make lint          format, lint and type checks                                  1 min      -
make docs          site/index.html: guides and API, to read without a network    30-70 s    40 MB
make bench         measure this machine: results/bench/*.json and a table        30 min     0.6 GB
make doctor        check Python, torch, LaTeX, data, GPU, Slurm, DVC             10 s       -
make clean         delete tools' caches and site/; results and cells stay        1 s        -

the parts of the set-up, done by the targets above when missing:
make setup         .venv with the exact versions of constraints.txt              2-6 min    6.5 GB
make latex         latexmk, biber and TeX Live from the system's packages        1-3 min    0.8 GB
make data-package  Fashion-MNIST from the system's packages (Debian)             5 s        31 MB
make slurm         slurm-wlm and munge from the system's packages                20 s       20 MB
make s3            what the test of an S3 remote needs, into .venv/s3            10 s       90 MB

To use the tools by themselves (snakemake, dvc, phase2):  . .venv/bin/activate
endef

.PHONY: help report cifar reference smoke test quick slurm-test lint docs bench doctor clean setup latex data-package slurm s3 FORCE

help:
	$(info $(HELP))
	@:

report: setup latex data-package
	@$(BIN)/snakemake --cores $(CORES) all $(OVERLAY)

cifar: setup latex
	@$(BIN)/snakemake --cores $(CORES) all --configfile config/cifar.yaml \
		--config "studies={fast.task.dataset: $(IMAGES), fast.precision: $(PRECISION)}"

reference: setup latex
	@$(BIN)/snakemake --cores $(CORES) all --configfile config/reference.yaml

smoke: setup latex
	@$(BIN)/snakemake --cores $(CORES) all --configfile config/smoke.yaml

test: setup latex s3
	@$(BIN)/python -m pytest -q -n auto --maxprocesses=2 --dist loadfile

quick: setup
	@$(BIN)/python -m pytest -q -m quick

slurm-test: setup slurm
	@$(BIN)/python -m pytest -q tests/slurm

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/snakefmt --check Snakefile rules
	@$(BIN)/mypy

# The theme would tell of its successor.
docs: setup
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet

bench: setup latex data-package
	@$(BIN)/phase2 bench

doctor: setup
	@$(BIN)/phase2 doctor

clean:
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis site
	@find phase2 tests workflow -name __pycache__ -type d -prune -exec rm -rf {} +

setup: .venv/.installed

latex:
	@sh tools/setup.sh latex

data-package:
	@sh tools/setup.sh data-package

slurm:
	@sh tools/setup.sh slurm

s3: .venv/s3/.installed

.venv/s3/.installed: tests/workflow/s3.txt .venv/.installed
	@sh tools/setup.sh s3

# The stamp holds the folder it was made in: an environment that was moved or copied does not work elsewhere.
.venv/.installed: pyproject.toml constraints.txt $(if $(filter-out $(CURDIR),$(shell cat .venv/.installed 2>/dev/null)),FORCE)
	@sh tools/setup.sh venv

FORCE:
