// MicroPython on this computer with what its own tests need, for 32 bits: for
// tests/integration/romcode_vm.py. The rest is the unix port's.

#define MICROPY_CONFIG_ROM_LEVEL (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)

#include "variants/mpconfigvariant_common.h"
