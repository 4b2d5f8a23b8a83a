// CPU time of this process with a microsecond's resolution, for measured_steps.py: time.clock() of
// the unix port counts milliseconds, of which one is 200 of an ESP32's.
#include <time.h>

#include "py/runtime.h"

static mp_obj_t cputime_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    // A small integer, so that measuring takes no heap: it turns over every 17 minutes.
    return MP_OBJ_NEW_SMALL_INT((now.tv_sec * 1000000ll + now.tv_nsec / 1000) & 0x3fffffff);
}
static MP_DEFINE_CONST_FUN_OBJ_0(cputime_us_obj, cputime_us);

static const mp_rom_map_elem_t cputime_globals_table[] = {
    {MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_cputime)},
    {MP_ROM_QSTR(MP_QSTR_us), MP_ROM_PTR(&cputime_us_obj)},
};
static MP_DEFINE_CONST_DICT(cputime_globals, cputime_globals_table);

const mp_obj_module_t cputime_module = {
    .base = {&mp_type_module},
    .globals = (mp_obj_dict_t *)&cputime_globals,
};

MP_REGISTER_MODULE(MP_QSTR_cputime, cputime_module);
