// What the core asks of a board: see main.c.

#include "py/mpconfig.h"

static inline mp_uint_t mp_hal_ticks_cpu(void) {
    uint32_t count;
    __asm__ volatile ("rsr %0, ccount" : "=a" (count));
    return count;
}

void mp_hal_set_interrupt_char(int c);
