#define MICROPY_ROM_CODE (1) // tools/romcode
#define MICROPY_PY_BLUETOOTH (0)
