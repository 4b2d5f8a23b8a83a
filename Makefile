# JouleLog. `make` alone lists what there is to make.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install -q --disable-pip-version-check
UV := uv==0.13.9
CONFIG ?= firmware/config.py
PROFILE ?= esp32
MODEL ?= nl50
TESTS ?=
JOBS ?= 4

.PHONY: help run check test test-long lines style lint format size deps doctor find boards firmware dist docs packages meter lock clean
.PHONY: key update installer page micropython flash romfs logs config erase boot-image

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

run: $(VENV)/run ## run the firmware here (CONFIG=… MODEL=… SETUP=1: its set-up page or VM=1 PROFILE=esp8266-frozen|esp32-frozen|esp32|esp32-files HEAP=…)
	@$(PY) -m tools.run --config '$(CONFIG)' --model $(MODEL) \
		$(if $(VM),--vm --profile $(PROFILE)) $(if $(HEAP),--heap $(HEAP)) $(if $(SETUP),--setup)

PYTEST = $(PY) -m pytest -r fE --dist loadfile --no-loadscope-reorder

check: style ## style and types of device code, and the quick unit tests on CPython: less than a minute
	$(PYTEST) -n 2 tests/unit

test: $(VENV)/dev ## all tests that this machine can run (ALL=1: a missing tier fails; TESTS=… some)
	$(if $(ALL),JOULELOG_REQUIRE_ALL=1) $(PYTEST) -n $(JOBS) $(TESTS)

# Files that do more with JOULELOG_LONG, and whole sweeps.
LONG = $(shell grep -lE 'JOULELOG_LONG|mark\.long' tests/integration/*.py)

test-long: $(VENV)/dev ## what takes hours: 200 kills, days of soaking, every statement (TESTS=… some)
	JOULELOG_LONG=1 $(PYTEST) -n $(JOBS) $(or $(TESTS),$(filter tests/integration/test_%,$(LONG)))
	$(if $(TESTS),,JOULELOG_LONG=1 $(PYTEST) -n $(JOBS) -m long tests/unit)

lines: $(VENV)/run ## lines of firmware/ and lib/ without blanks, comments, docstrings, against their budget
	@$(PY) -m tools.bench.lines

style: $(VENV)/dev typings/stamp
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/codespell
	$(VENV)/bin/pyright
	@$(PY) -m tools.images.page --check

lint: style ## ruff, codespell, pyright (of tools and tests the calls alone), and whether every test can be imported
	$(VENV)/bin/pyright -p tools/pyright.json
	@mkdir -p build; $(PY) -m pytest --collect-only -q -p no:cacheprovider > build/collected.txt || { tail -40 build/collected.txt; exit 1; }

format: $(VENV)/dev ## format the code
	$(VENV)/bin/ruff check --fix-only -q .
	$(VENV)/bin/ruff format .

size: $(VENV)/dev ## bytes, heap and longest step, against tools/bench/budgets.json (ONLY=steps …)
	@$(PY) -m tools.bench.size $(if $(ONLY),--only $(ONLY)) $(if $(MICROPYTHON),--micropython '$(MICROPYTHON)') \
		$(if $(BOARD),--board '$(BOARD)') $(if $(ESP_SDK),--esp-sdk '$(ESP_SDK)')

docs: $(VENV)/run ## write the generated tables into docs/ (CHECK=1: only compare; PICTURE=1: the terminal as well)
	@$(PY) -m tools.docs $(if $(CHECK),--check) $(if $(PICTURE),--picture)

packages: $(VENV)/run ## write the lists of modules that follow from the sources: package.json, manifests, features (CHECK=1: only compare)
	@$(PY) -m tools.packages $(if $(CHECK),--check)

meter: $(VENV)/run ## begin a reader for a meter of yours, with all that it needs: NAME=my_meter
	@$(PY) -m tools.meter '$(NAME)'

deps: $(VENV)/run ## MicroPython, and its packages for VM and boards (DEPS_FROM=<folder of checkouts>: without GitHub)
	$(PY) -m tools.host.deps ensure

doctor: $(VENV)/run ## listen to a P1 cable: make doctor PORT=/dev/ttyUSB0
	$(PY) -m tools.doctor $(PORT)

find: $(VENV)/run ## list the meters that announce themselves on the network, with their config entries (SECONDS=15 AT="192.168.1.20 …")
	@$(PY) -m tools.find $(if $(SECONDS),--seconds '$(SECONDS)') $(foreach one,$(AT),--at '$(one)')

boards: $(VENV)/run ## check the board folders and the example configs (BOARD=… or CONFIG=… one, FEATURES="dsmr mqtt")
	$(PY) -m tools.boards $(if $(filter-out file,$(origin CONFIG)),--config '$(CONFIG)') $(if $(BOARD),--board $(BOARD)) \
		$(if $(FEATURES),--features '$(FEATURES)')

firmware: $(VENV)/run ## an image with the application frozen in (BOARD=… KEY=… FEATURES="dsmr mqtt" ESP_SDK=…; MICROPYTHON=<checkout>: not the one of make deps)
	$(PY) -m tools.images.firmware --board '$(BOARD)' --micropython '$(MICROPYTHON)' \
		$(if $(FEATURES),--features '$(FEATURES)') $(if $(ESP_SDK),--esp-sdk '$(ESP_SDK)') $(if $(KEY),--key '$(KEY)')

dist: $(VENV)/run ## release archives with checksums, in dist/ (IMAGES=build/images: with the boards' images, each checked; KEY=…: and their updates)
	$(PY) -m tools.images.dist $(if $(IMAGES),--images '$(IMAGES)') $(if $(KEY),--key '$(KEY)')

key: $(VENV)/run ## make the key that signs your updates, outside of this folder (KEY=~/.joulelog/update.pem)
	@$(PY) -m tools.images.key $(if $(KEY),--key '$(KEY)')

update: $(VENV)/run ## send a board new firmware over the network: HOST=192.168.1.7 FILE=….update (FORCE=1: an older one)
	@$(PY) -m tools.update --host '$(HOST)' $(if $(FILE),--file '$(FILE)') $(if $(FORCE),--force)

installer: $(VENV)/run ## the installer page on this computer: writes an image from the browser (PORT=8070 IMAGES=build/images)
	@$(PY) -m tools.images.installer $(if $(PORT),--port '$(PORT)') $(if $(IMAGES),--images '$(IMAGES)')

page: $(VENV)/run ## build set-up's page out of web/, for images and make run (needs Node)
	@$(PY) -m tools.images.page

boot-image: $(VENV)/run ## boot an image in an emulator of the whole chip: IMAGE=….bin QEMU=<program> (MINUTES=60)
	@$(PY) -m tools.images.boot_image $(if $(IMAGE),--image '$(IMAGE)') --qemu '$(QEMU)' $(if $(MINUTES),--minutes '$(MINUTES)')

FLASH = $(PY) -m tools.flash
# Only a CONFIG that somebody asked for replaces the board's.
ASKED_CONFIG = $(if $(filter command line environment,$(origin CONFIG)),--config '$(CONFIG)')
ON = $(if $(PORT),--port '$(PORT)') $(if $(BOARD),--board '$(BOARD)')

micropython: $(VENV)/run ## write MicroPython: PORT=/dev/ttyUSB0 BOARD=ESP32_GENERIC IMAGE=….bin (KEEP=1: not the files)
	@$(FLASH) micropython $(ON) $(if $(IMAGE),--image '$(IMAGE)') $(if $(KEEP),--keep)

flash: $(VENV)/run ## put JouleLog on a board: PORT=… BOARD=… (CONFIG=…: this becomes its config.py)
	@$(FLASH) install $(ON) $(ASKED_CONFIG)

romfs: $(VENV)/run ## the same as a ROMFS image, for a MicroPython that has the room for one
	@$(FLASH) romfs $(ON) $(ASKED_CONFIG)

logs: $(VENV)/run ## fetch and print a board's log: PORT=…
	@$(FLASH) logs $(ON)

config: $(VENV)/run ## edit a board's config.py: PORT=… (SHOW=1: only show it, merged; CONFIG=…: write that; DROP=1: drop its settings)
	@$(FLASH) config $(ON) $(if $(SHOW),--show)$(if $(DROP), --drop) $(ASKED_CONFIG)

erase: $(VENV)/run ## erase a board's whole flash: PORT=… (YES=1: do not ask)
	@$(FLASH) erase $(ON) $(if $(YES),--yes)

LOCK = build/lock/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes $(if $(UPGRADE),--upgrade) \
	--custom-compile-command 'make lock'

lock: build/lock/$(UV) ## write requirements*.txt, with hashes, from requirements*.in (UPGRADE=1: what these need in new versions)
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) -c requirements.txt requirements-dev.in -o requirements-dev.txt
	$(LOCK) requirements-typings.in -o requirements-typings.txt

clean: ## remove what was built (not the cache outside of this folder)
	rm -rf build typings $(VENV)

$(VENV)/python:
	@command -v $(PYTHON) > /dev/null || { echo "there is no $(PYTHON) here; PYTHON=… names another one"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "JouleLog needs Python 3.11 or newer; PYTHON=… names another one"; exit 1; }
	@echo "setting up $(VENV), once"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/run: $(VENV)/python requirements.txt
	@$(PIP) --require-hashes -r requirements.txt
	@touch $@

$(VENV)/dev: $(VENV)/run requirements-dev.txt
	@$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@

typings/stamp: $(VENV)/dev requirements-typings.txt
	@$(PIP) --require-hashes --target typings --upgrade -r requirements-typings.txt
	@touch $@

# What resolves versions has an environment of its own: it is needed for that alone.
build/lock/$(UV):
	@$(PYTHON) -m venv build/lock
	@build/lock/bin/python -m pip install -q --disable-pip-version-check '$(UV)'
	@touch '$@'
