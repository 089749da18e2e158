# Two commands do everything: `make quickstart` runs the main job, `make test` the tests.
# Nothing is needed beforehand but Python 3.11 and make; .venv is made from the lock file.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
FUZZ := build/fuzz/venv
NODE := scripts/differential/node_modules

.PHONY: quickstart test unit e2e check bench bench-network kills kills-join interrupts in-flight soak fuzz fuzz-parsers man differential mutants lock clean

quickstart: $(READY) ## the whole story on this machine: bootstrap, register, unseal, follow
	$(BIN)/enigmacli quickstart $(if $(KEEP),--keep "$(KEEP)")

test: $(READY) ## unit tests without any network, then end-to-end tests with real processes
	scripts/test.sh

unit: $(READY) ## the unit tests alone
	scripts/test.sh unit

e2e: $(READY) ## the end-to-end tests alone
	scripts/test.sh e2e

check: $(READY) ## formatting, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY) ## ratios against raw primitives, measured in one run
	$(BIN)/python -m bench

bench-network: $(READY) ## latency, throughput and flood of real networks; last result in docs/performance.md
	ENIGMA_COMETBFT=$$(scripts/cometbft.sh) $(BIN)/python -m bench.network

kills: $(READY) ## kill -9 at 500 random moments, and the same command again; hours
	$(BIN)/python -m scripts.kills --count 500

kills-join: $(READY) ## kill -9 of `join` at 200 random moments, and the same command again
	$(BIN)/python -m scripts.kills --count 200 --only join --stories 0

interrupts: $(READY) ## ^C and a reader that goes away at 200 random moments, and the same command again
	$(BIN)/python -m scripts.kills --count 200 --interrupt

soak: $(READY) ## four validators under random kills for ten minutes; last result in docs/soak.md
	ENIGMA_COMETBFT=$$(scripts/cometbft.sh) $(BIN)/python -m scripts.soak

in-flight: $(READY) ## 1,000 registrations at once on four validators; last result in docs/faults.md
	ENIGMA_IN_FLIGHT=1000 ENIGMA_COMETBFT=$$(scripts/cometbft.sh) $(BIN)/pytest -q -s -m e2e tests/e2e/test_localnet_faults.py -k in_flight

fuzz: $(READY) ## live targets under random input for ten minutes; last result in docs/fuzzing.md
	$(BIN)/python scripts/fuzz.py

fuzz-parsers: $(READY) $(FUZZ)/.ready ## every parser under a coverage-guided fuzzer; last result in docs/fuzzing.md
	$(FUZZ)/bin/python scripts/fuzz_parsers.py --seconds $(or $(SECONDS),1800)

man: $(READY) ## manual pages of every command, into build/man/man1
	$(BIN)/python -m scripts.man build/man/man1

differential: $(READY) $(NODE)/.ready ## our verdicts against another implementation's; last result in docs/differential.md
	$(BIN)/python -m scripts.differential

mutants: $(READY) ## take each check out, one at a time: does a test fail? last result in docs/mutants.md
	$(BIN)/python scripts/mutants.py

lock: $(READY) ## pin and hash every dependency anew, without addresses
	$(PYTHON) -m venv build/lock && build/lock/bin/pip install -q pip-tools
	build/lock/bin/pip-compile -q --extra dev --allow-unsafe --generate-hashes --strip-extras \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --no-annotate \
	  -o requirements.lock pyproject.toml

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q enclave enigmacli # every command starts faster
	touch $(READY)

# a fuzzer needs an environment of its own: it replaces how modules are loaded
$(FUZZ)/.ready: requirements.lock scripts/fuzz_requirements.txt
	$(PYTHON) -m venv --clear $(FUZZ)
	$(FUZZ)/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(FUZZ)/bin/pip install -q --disable-pip-version-check --require-hashes -r scripts/fuzz_requirements.txt || \
	  echo "no fuzzer for this machine: inputs will not be guided by coverage" >&2
	touch $(FUZZ)/.ready

$(NODE)/.ready: scripts/differential/package-lock.json
	cd scripts/differential && npm ci --no-audit --no-fund
	touch $(NODE)/.ready

clean: ## remove what the targets above made
	rm -rf $(VENV) $(NODE) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
