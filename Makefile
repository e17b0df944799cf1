# huiqi. Needs Python 3.11 or newer and git; everything else is installed into this folder.
#   make demo                a plan year, replayed through the services; ARGS="--format json" for one JSON object
#   make up                  the services, left running until Ctrl-C
#   make test                all tests on the embedded servers; ARGS="-k relay" for some
#   make check               format, lint, types, import law, contracts
#   make test-containers     the journeys on Apache Kafka in a container
#   make test-kafka          the journeys on the Kafka that KAFKA_BOOTSTRAP names; deletes every topic there
#   make chaos               faults from seeds, then every promise; SEED=7 or SEEDS=5, SECONDS=30, FORMAT=json
#   make chaos-containers    the same on Apache Kafka in a container
#   make bench               the measured promises
#   make clean               removes what the above made, the results of bench excepted
.POSIX:
.PHONY: demo up test test-slow check format lint types imports contracts test-containers test-kafka chaos chaos-containers bench clean dev
BIN = .venv/bin
ARGS =
SEED =
SEEDS = 5
SECONDS = 30
FORMAT = table
CHAOS = tests/faults/chaos.py $(if $(SEED),--seed $(SEED),--seeds $(SEEDS)) --seconds $(SECONDS) --format $(FORMAT)
JOURNEYS = tests/journeys $(filter-out %rig_proxy.py %rig_parts.py %rig_witness.py %rig_can_fail.py,$(wildcard tests/faults/test_*.py))
CODE = contracts chassis casework services huiqi tests bench scripts

demo:
	@scripts/bootstrap --no-dev
	@$(BIN)/huiqi demo $(ARGS)

up:
	@scripts/bootstrap --no-dev
	@$(BIN)/huiqi up $(ARGS)

dev:
	@scripts/bootstrap

test: dev
	$(BIN)/pytest -m "not slow" $(ARGS)

test-slow: dev
	$(BIN)/pytest -m slow $(ARGS)

check: format lint types imports contracts

format: dev
	$(BIN)/ruff format --check .

lint: dev
	$(BIN)/ruff check .

# Test folders repeat module names, so each is read by itself, with its own folder on the path.
types:
	@scripts/bootstrap --group bench
	$(BIN)/mypy contracts/src contracts/tools chassis/src casework/src huiqi/src services/*/src scripts
	@for tests in */tests services/*/tests tests/* bench; do \
	  MYPYPATH=$$tests:tests/faults/rig_tally $(BIN)/mypy $$tests || failed=1; \
	done; test -z "$$failed"

imports: dev
	$(BIN)/lint-imports

contracts: dev
	$(BIN)/python contracts/tools/generate.py --check

test-kafka: dev
	@test -n "$$KAFKA_BOOTSTRAP" || { echo "KAFKA_BOOTSTRAP must name a Kafka, e.g. 127.0.0.1:9092" >&2; exit 2; }
	$(BIN)/pytest $(JOURNEYS) $(ARGS)

test-containers: dev
	$(BIN)/python scripts/with_kafka_container.py $(BIN)/pytest $(JOURNEYS) $(ARGS)

chaos:
	@scripts/bootstrap
	@$(BIN)/python $(CHAOS) $(ARGS)

chaos-containers:
	@scripts/bootstrap
	@$(BIN)/python scripts/with_kafka_container.py $(BIN)/python $(CHAOS) $(ARGS)

bench:
	@scripts/bootstrap --group bench
	$(BIN)/python bench/run.py $(ARGS)

clean:
	rm -rf .venv .tools .run .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
