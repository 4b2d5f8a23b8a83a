// MicroPython on this computer with what of a chip's settings the heap can feel: for
// tools/rig/frozen.py. The rest is the unix port's.

#define MICROPY_CONFIG_ROM_LEVEL (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)

#include "variants/mpconfigvariant_common.h"

// As on a chip: Ctrl-C comes between two bytecodes, not in the midst of a collection.
#undef MICROPY_ASYNC_KBD_INTR
#define MICROPY_ASYNC_KBD_INTR (0)

#ifdef JOULELOG_esp8266 // ports/esp8266/mpconfigport.h
#define MICROPY_MODULE___FILE__ (0)
#define MICROPY_PY_DELATTR_SETATTR (0)
#define MICROPY_PY_SYS_PS1_PS2 (0)
#define MICROPY_ALLOC_LEXER_INDENT_INIT (8)
#define MICROPY_ALLOC_PARSE_RULE_INIT (48)
#define MICROPY_ALLOC_PARSE_RULE_INC (8)
#define MICROPY_ALLOC_PARSE_RESULT_INC (8)
#define MICROPY_ALLOC_PARSE_CHUNK_INIT (64)
#endif
