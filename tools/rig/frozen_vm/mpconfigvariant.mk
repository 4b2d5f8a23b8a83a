# For tools/rig/frozen.py: a 32-bit program without libraries that have to be there for 32 bits.
CFLAGS += -m32 -DJOULELOG_$(JOULELOG_CHIP)
LDFLAGS += -m32
MICROPY_PY_BTREE = 0
MICROPY_PY_FFI = 0
MICROPY_PY_SSL = 0
MICROPY_SSL_MBEDTLS = 0
