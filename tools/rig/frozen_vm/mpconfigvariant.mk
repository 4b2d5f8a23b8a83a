# For tools/rig/frozen.py: a 32-bit program without libraries that have to be there for 32 bits.
CFLAGS += -m32 -DJOULELOG_$(JOULELOG_CHIP)
LDFLAGS += -m32
USER_C_MODULES = $(VARIANT_DIR)
MICROPY_PY_BTREE = 0
MICROPY_PY_FFI = 0
MICROPY_SSL_MBEDTLS = 0
ifeq ($(JOULELOG_CHIP),esp8266)
# As ports/esp8266/Makefile has it.
MICROPY_SSL_AXTLS = 1
AXTLS_DEFS_EXTRA = -DRT_MAX_PLAIN_LENGTH=1024 -DRT_EXTRA=4096 -include $(VARIANT_DIR)/axtls_heap.h
else
# For cryptolib, which a chip's own library gives it: Tuya needs AES.
MICROPY_SSL_AXTLS = 1
endif
