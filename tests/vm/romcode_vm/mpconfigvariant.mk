# For tests/integration/romcode_vm.py: a 32-bit program without libraries that have to be there
# for 32 bits. axtls is the TLS of an ESP8266, and gives cryptolib.
CFLAGS += -m32
LDFLAGS += -m32
MICROPY_PY_BTREE = 0
MICROPY_PY_FFI = 0
MICROPY_SSL_AXTLS = 1
MICROPY_SSL_MBEDTLS = 0
