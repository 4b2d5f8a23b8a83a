// For extmod/modwebrepl.c alone: its buffer of 512 bytes on the stack while a file comes, not in
// static RAM for ever. The port's settings leave no choice, so they are read first.
#include "py/mpconfig.h"

#undef MICROPY_PY_WEBREPL_STATIC_FILEBUF
#define MICROPY_PY_WEBREPL_STATIC_FILEBUF (0)
