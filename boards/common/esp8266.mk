# What all ESP8266 boards share: 1 MiB for firmware with everything frozen in, the rest of the
# flash (2 MiB or more) for files. What JouleLog does not use is left out.
LD_FILES = boards/esp8266_2MiB.ld

MICROPY_PY_ESPNOW ?= 0
MICROPY_PY_BTREE ?= 0
MICROPY_VFS_FAT ?= 0
MICROPY_VFS_LFS2 ?= 1

FROZEN_MANIFEST ?= $(BOARD_DIR)/manifest.py

$(BUILD)/extmod/modwebrepl.o: CFLAGS += -include $(BOARD_DIR)/../common/webrepl.h
