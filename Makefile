.PHONY: demo test test-unit test-all coverage mutants check bench pictures reference set-up constraints requirements

# More options for pytest, for example PYTEST="tests/unit -q"
PYTEST ?=

# Twice as many as there are cores: a worker waits half of its time, for servers, databases and programs that it asks.
WORKERS ?= $(shell expr 2 \* $$(getconf _NPROCESSORS_ONLN))

# A test that is late waits for no other. The last line names the target, of which `make -j` may run several.
PYTEST_SHARED = .venv/bin/pytest --dist worksteal --ran "make $@" -n

# What the sandbox serves on this machine is behind no proxy.
export NO_PROXY := localhost,127.0.0.1,$(no_proxy),$(NO_PROXY)
export no_proxy := $(NO_PROXY)

# Compiled modules are kept: each worker and each bot that a test starts would compile all of them anew.
unexport PYTHONDONTWRITEBYTECODE

# KEEP=1 leaves everything up for a look around
demo: set-up
	.venv/bin/python -m sandbox.demo $(if $(KEEP),--keep)

# Leaves out what takes long and what PostgreSQL repeats, and tries fewer examples of each law than `test-all`.
test: set-up
	$(PYTEST_SHARED) $(WORKERS) -m "not long and not second_database" --hypothesis-profile=quick $(PYTEST)

# Reads the unit tests alone, which wait for nothing; ROOM=images those of one room
ROOM ?=
test-unit: set-up
	$(PYTEST_SHARED) auto -o testpaths=tests/unit$(if $(ROOM),/$(ROOM)) -m "not long" --hypothesis-profile=quick $(PYTEST)

# One worker more than there are cores: what takes long waits for a third of its time, and ends last among more
test-all: set-up
	$(PYTEST_SHARED) $(shell expr 1 + $$(getconf _NPROCESSORS_ONLN)) $(PYTEST)

# Which branches the tests of this process take; killed and started processes are not counted
coverage: set-up
	$(PYTEST_SHARED) $(WORKERS) -m "not long and not second_database and not kill" --cov --cov-report=term $(PYTEST)

# Which changes of the rules no unit test tells. SAMPLE is how many are tried (0 is all), SEED chooses them,
# ROOMS="bot/fleet/plan bot/fleet/act" looks at these folders alone. A run that was broken off goes on where it stopped.
SAMPLE ?= 400
SEED ?= 1
ROOMS ?=
mutants: set-up
	nice -n 19 .venv/bin/python -m tests.mutants --sample $(SAMPLE) --seed $(SEED) --workers $(WORKERS) $(ROOMS)

# `make` expands all of these lines before it runs the first, so that the last knows when that was.
check: set-up
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/hadolint Dockerfile
	@.venv/bin/python -m tests.ran $(shell date +%s) "make $@: ruff, mypy, import contracts, hadolint"

# ONLY="fleet follow" measures these alone, by the names of tests/bench/bench_*.py
ONLY ?=
bench: set-up
	.venv/bin/python -m tests.bench $(ONLY)

# The pictures in the README and the texts in docs, made anew from what the bot writes
pictures: set-up
	.venv/bin/python -m docs.pictures
	.venv/bin/python -m docs.texts

# The pages of docs/ that come from the code
reference: set-up
	.venv/bin/python -m docs.reference

set-up:
	@tools/set-up.sh

# After a dependency was added or raised on purpose
constraints: set-up
	.venv/bin/python -m pip freeze --exclude-editable >constraints.txt
	$(MAKE) requirements

LOCK = .venv/bin/uv pip compile --quiet --constraint constraints.txt --generate-hashes --no-build --no-header \
	--no-annotate --python-version 3.13 --python-platform linux

# What the image installs, with the hashes of every file that a package index has of these versions
requirements: set-up
	$(LOCK) pyproject.toml --extra apprise --extra azure --extra postgresql --output-file deploy/requirements.txt
	echo hatchling | $(LOCK) - --output-file deploy/build-requirements.txt
