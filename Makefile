# JouleLog. `make` alone lists what there is to make.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
CONFIG ?= firmware/config.py
PROFILE ?= esp32
MODEL ?= nl50
TESTS ?=
JOBS ?= 3

.PHONY: help run test lint format size deps doctor boards firmware dist clean
.PHONY: micropython flash romfs logs config erase boot-image

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

run: $(VENV)/run ## run the firmware here (CONFIG=… MODEL=… or VM=1 PROFILE=esp8266-frozen|esp32-frozen|esp32|esp32-files HEAP=…)
	@$(PY) tools/run.py --config $(CONFIG) --model $(MODEL) \
		$(if $(VM),--vm --profile $(PROFILE)) $(if $(HEAP),--heap $(HEAP))

test: $(VENV)/dev ## all tests that this machine can run (ALL=1: a missing tier fails; TESTS=… some)
	$(if $(ALL),JOULELOG_REQUIRE_ALL=1) $(PY) -m pytest -r fE -n $(JOBS) --dist loadfile --no-loadscope-reorder $(if $(RERUNS),--reruns $(RERUNS)) $(TESTS)

lint: $(VENV)/dev typings/stamp ## ruff, pyright, codespell
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/codespell
	$(VENV)/bin/pyright

format: $(VENV)/dev ## format the code
	$(VENV)/bin/ruff check --fix-only -q .
	$(VENV)/bin/ruff format .

size: $(VENV)/dev ## bytes, heap and longest step, against tools/budgets.json (ONLY=steps …)
	@$(PY) tools/size.py $(if $(ONLY),--only $(ONLY)) $(if $(MICROPYTHON),--micropython '$(MICROPYTHON)') \
		$(if $(BOARD),--board '$(BOARD)') $(if $(ESP_SDK),--esp-sdk '$(ESP_SDK)')

deps: $(VENV)/run ## MicroPython, and its packages for VM and boards (DEPS_FROM=<folder of checkouts>: without GitHub)
	$(PY) tools/host/deps.py ensure

doctor: $(VENV)/run ## listen to a P1 cable: make doctor PORT=/dev/ttyUSB0
	$(PY) tools/doctor.py $(PORT)

boards: $(VENV)/run ## check the board folders and the example configs (BOARD=… or CONFIG=… one, FEATURES="dsmr mqtt")
	$(PY) tools/boards.py $(if $(filter-out file,$(origin CONFIG)),--config $(CONFIG)) $(if $(BOARD),--board $(BOARD)) \
		$(if $(FEATURES),--features '$(FEATURES)')

firmware: $(VENV)/run ## an image with the application frozen in (BOARD=… FEATURES="dsmr mqtt" ESP_SDK=…; MICROPYTHON=<checkout>: not the one of make deps)
	$(PY) tools/firmware.py --board '$(BOARD)' --micropython '$(MICROPYTHON)' \
		$(if $(FEATURES),--features '$(FEATURES)') $(if $(ESP_SDK),--esp-sdk '$(ESP_SDK)')

dist: $(VENV)/run ## release archives with checksums, in dist/ (IMAGES=build/images: with the boards' images, each checked)
	$(PY) tools/dist.py $(if $(IMAGES),--images '$(IMAGES)')

boot-image: $(VENV)/run ## boot an image in an emulator of the whole chip: IMAGE=….bin QEMU=<program> (MINUTES=60)
	@$(PY) tools/boot_image.py $(if $(IMAGE),--image '$(IMAGE)') --qemu '$(QEMU)' $(if $(MINUTES),--minutes '$(MINUTES)')

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

config: $(VENV)/run ## edit a board's config.py: PORT=… (SHOW=1: only show it, merged; CONFIG=…: write that)
	@$(FLASH) config $(ON) $(if $(SHOW),--show) $(ASKED_CONFIG)

erase: $(VENV)/run ## erase a board's whole flash: PORT=… (YES=1: do not ask)
	@$(FLASH) erase $(ON) $(if $(YES),--yes)

clean: ## remove what was built (not the cache outside of this folder)
	rm -rf build typings $(VENV)

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "JouleLog needs Python 3.11 or newer; PYTHON=… names another one"; exit 1; }
	@echo "setting up $(VENV), once"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/run: $(VENV)/python requirements.txt
	@$(PY) -m pip install -q --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/dev: $(VENV)/run requirements-dev.txt
	@$(PY) -m pip install -q --disable-pip-version-check -r requirements-dev.txt
	@touch $@

typings/stamp: $(VENV)/dev
	@$(PY) -m pip install -q --disable-pip-version-check --target typings --upgrade \
		micropython-esp32-stubs==1.29.0.post1
	@touch $@
