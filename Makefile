# Two commands: `make run` shows the main job on a copy of examples/shop, `make test` proves it. Each sets everything up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TARGET ?=
STAMP := $(VENV)/.stamp
export BULKHEAD_STATE ?= $(CURDIR)/.state

.PHONY: run test lint types layers soak peers lock clean

run: $(STAMP)
ifeq ($(TARGET),)
	@$(BIN)/bulkhead demo
else
	@$(BIN)/bulkhead scan "$(TARGET)"; code=$$?; [ $$code -eq 1 ] || [ $$code -eq 0 ] || exit $$code
endif

test: $(STAMP) lint types layers
	$(BIN)/pytest -n 2 --maxprocesses 2 --ignore=tests/performance -m "not soak"
	$(BIN)/pytest -n 0 -s tests/performance

soak: $(STAMP)
	$(BIN)/pytest -n 2 -m soak

lint: $(STAMP)
	$(BIN)/ruff format --check -q src tests
	$(BIN)/ruff check -q src tests

types: $(STAMP)
	$(BIN)/mypy

layers: $(STAMP)
	$(BIN)/lint-imports --no-cache > .layers.log 2>&1 || { cat .layers.log; exit 1; }

# Other scanners, in environments of their own: they judge our repairs and stand beside us in the performance tests.
peers: .peers/.stamp

.peers/.stamp: requirements/peers.lock
	requirements/venv $(PYTHON) .peers
	.peers/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements/peers.lock
	touch $@

$(STAMP): requirements/dev.lock pyproject.toml requirements/venv
	requirements/venv $(PYTHON) $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q src/bulkhead
	touch $@

lock: $(STAMP)
	$(BIN)/pip-compile -q --strip-extras --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header --extra dev --extra all -o requirements/dev.lock pyproject.toml
	$(BIN)/pip-compile -q --strip-extras --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header -o requirements/peers.lock requirements/peers.in

clean:
	rm -rf $(VENV) .peers .state .mypy_cache .ruff_cache .hypothesis
