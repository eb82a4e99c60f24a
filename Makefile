# make demo   the main job on a real clip, commanded over MQTT
# make test   set up what is missing, then every check and test
# make test-boot  as root: the services on a booted machine, the image built and run (some 5 minutes)
# make bench  what the claims about speed rest on: ratios, measured in turn (BENCH="pipeline --rounds 5": one suite)
# make test-homeassistant  Home Assistant's own code judges what is announced to it (HA_PYTHON: a Python 3.13)
# make test-faults  ten minutes and more of killing broker, agent and bridge: nothing is lost
# make test-inputs  a hundred thousand odd messages: each gets one answer (some 20 minutes)
# make lint   the checks alone
# make proto  write the generated code anew from proto/
# make wheels herdlink, and the contract alone for peers (herdlink-proto), into dist/
# make pig-model  the detector of pigs anew, from nothing: photos, generated pictures, training, export (an hour and more)
# make numbers  the table of docs/numbers.md anew: herd numbers against the simulated truth (some 2 minutes)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PROTO_VENV := .venv-proto
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
# Stubs refuse a protobuf runtime older than their generator: 1.74 loads under protobuf 6.31 to 7.
PROTO_TOOLS := grpcio-tools==1.74.0 mypy-protobuf==3.6.0 setuptools==80.9.0

TRAIN_VENV := .venv-training

.PHONY: demo test test-boot test-faults test-inputs test-homeassistant bench numbers pig-model lint proto proto-check wheels
.PHONY: released lock setup packages clean

setup: $(READY)

$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "herdlink needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# The system's packages: as root on Debian or Ubuntu they are installed; else it is said which are missing.
packages:
	@tests/install-packages

demo: setup
	@tests/install-packages broker || true
	$(BIN)/herdlink demo --output demo

test: setup packages lint
	$(BIN)/python -m pytest

# kill -9 on broker, agent and bridge and cables cut, with and without persistence, until there were enough of each;
# HERDLINK_FAULT_SECONDS=7200 for two hours. Some seconds of it are in `make test`.
test-faults: setup packages
	HERDLINK_FAULT_SECONDS=$${HERDLINK_FAULT_SECONDS:-600} $(BIN)/python -m pytest -s tests/faults

test-inputs: setup packages
	HERDLINK_INPUTS=100000 $(BIN)/python -m pytest -s tests/bridge/test_any_message.py

test-boot: setup packages
	tests/install-boot-tools
	HERDLINK_BOOT_TESTS=1 $(BIN)/python -m pytest tests/systemd tests/docker

bench: setup packages
	PYTHONPATH=proto:tests:tests/bench $(BIN)/python tests/bench/run.py $(BENCH)

# The programs that herdlink is measured beside (suite `peers`), made when that is first run.
PEERS_VENV := .venv-peers
$(PEERS_VENV)/.ready: tests/bench/peers/requirements.txt tests/bench/peers/no-deps.txt
	$(PYTHON) -m venv $(PEERS_VENV)
	$(PEERS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/bench/peers/requirements.txt
	$(PEERS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r tests/bench/peers/no-deps.txt
	@touch $@

# The newest that runs on this Python; 2026.11 wants a newer one than most machines have.
HA_PYTHON ?= python3.13
HA_VENV := .venv-homeassistant
test-homeassistant: setup $(HA_VENV)/.ready
	HERDLINK_HOMEASSISTANT=$(CURDIR)/$(HA_VENV)/bin/python $(BIN)/python -m pytest tests/homeassistant

$(HA_VENV)/.ready: Makefile
	$(HA_PYTHON) -m venv $(HA_VENV)
	$(HA_VENV)/bin/python -m pip install --quiet --disable-pip-version-check homeassistant==2025.4.4 paho-mqtt==2.1.0 \
		janus==2.0.0 Pillow
	@touch $@

# An environment of its own: PyTorch is no dependency of herdlink. Goes on where it was stopped. PIG: more options, e.g.
# make pig-model PIG='--own farm/frames --judge farm/apart --start agent/models/included/pig.onnx'
PIG ?=
pig-model: $(TRAIN_VENV)/.ready
	OMP_NUM_THREADS=1 $(TRAIN_VENV)/bin/python -m agent.training --output build/pig $(PIG)

$(TRAIN_VENV)/.ready: agent/training/requirements.txt requirements.txt
	$(PYTHON) -m venv $(TRAIN_VENV)
	$(TRAIN_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(TRAIN_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r agent/training/requirements.txt
	@touch $@

numbers: setup
	PYTHONPATH=tests/agent/core/herd $(BIN)/python tests/agent/core/herd/herd_numbers.py

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy proto/examples/python docs/examples
	$(BIN)/lint-imports
	cd proto && ../$(BIN)/buf lint
	cd proto && ../$(BIN)/buf breaking --against released/*.binpb

proto: $(PROTO_VENV)/.ready
	cd proto && ../$(PROTO_VENV)/bin/python -m grpc_tools.protoc -I. \
		--plugin=protoc-gen-mypy_grpc=../$(PROTO_VENV)/bin/protoc-gen-mypy_grpc \
		--python_out=. --pyi_out=. --grpc_python_out=. --mypy_grpc_out=. \
		--include_imports --include_source_info --descriptor_set_out=herdlink/v1/herdlink.binpb herdlink/v1/*.proto
	rm proto/herdlink/v1/types_pb2_grpc.py*

# Fails when the committed stubs are not what proto/ says.
proto-check: proto
	git diff --exit-code -- proto/herdlink

# What has been released, which `make lint` holds every later contract to. Part of a release; see CONTRIBUTING.md.
released: setup
	rm -f proto/released/*.binpb
	cd proto && ../$(BIN)/buf build --exclude-source-info -o released/herdlink-$(VERSION).binpb

wheels: setup
	$(BIN)/python -m hatchling build --target wheel --directory $(CURDIR)/dist
	cd proto && ../$(BIN)/python -m hatchling build --target wheel --directory $(CURDIR)/dist

$(PROTO_VENV)/.ready: Makefile
	$(PYTHON) -m venv $(PROTO_VENV)
	$(PROTO_VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(PROTO_TOOLS)
	@touch $@

# Hashed, for every platform, without a registry's name.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url
lock:
	$(LOCK) --extra agent --extra bridge pyproject.toml -o requirements.txt
	$(LOCK) --extra agent --extra bridge --extra demo --group dev pyproject.toml -o requirements-dev.txt
	echo 'hatchling>=1.27' | $(LOCK) --constraint requirements-dev.txt - -o requirements-build.txt

clean:
	rm -rf $(VENV) $(PROTO_VENV) $(HA_VENV) $(TRAIN_VENV) $(PEERS_VENV) demo dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
