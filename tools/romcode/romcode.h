// Code objects of frozen modules in ROM: see docs/romcode.md.
//
// The freezer (the package romcode_freezer) predicts what the body of a frozen module makes and stores, and
// writes it as constants. Running the body verifies each prediction: what is as predicted costs no
// RAM, what is not is kept in RAM as without this file. So a wrong prediction costs memory, and
// never changes what a program does.

#ifndef MICROPY_INCLUDED_PY_ROMCODE_H
#define MICROPY_INCLUDED_PY_ROMCODE_H

#include "py/obj.h"
#include "py/bc.h"
#include "py/objfun.h"

#if MICROPY_ROM_CODE

#if MICROPY_PY_SYS_SETTRACE || MICROPY_PERSISTENT_CODE_SAVE
#error "MICROPY_ROM_CODE does without the raw code that settrace and saving code need"
#endif

// What a frozen module's context has in the place of its globals: not more of a dict than its
// type, and a map that is not fixed, for a heap object's address has its lowest bits clear. All
// that looks into such a dict goes through the functions below.
typedef struct _mp_rom_code_globals_t {
    mp_obj_base_t base;
    mp_obj_dict_t *ram; // what differs from the prediction, or NULL
} mp_rom_code_globals_t;

// A frozen module: its context, and what its globals are if all goes as predicted.
typedef struct _mp_rom_code_module_t {
    mp_module_context_t context;
    mp_map_t map; // a fixed hash table, in the order of the port's own hash
    const uint8_t *order; // of each slot of the map: when it is stored, or MP_ROM_CODE_SUBMODULE
    uint16_t name; // qstr, as in sys.modules
    uint16_t count; // of entries that the module's body stores
} mp_rom_code_module_t;

// A class whose body is this function, and which is this type if it has this base.
typedef struct _mp_rom_code_class_t {
    const void *body;
    const mp_obj_type_t *type;
    mp_rom_obj_t base; // or MP_ROM_NONE
} mp_rom_code_class_t;

// As in objproperty.c, where it has no name that other files know.
typedef struct _mp_rom_code_property_t {
    mp_obj_base_t base;
    mp_rom_obj_t proxy[3];
} mp_rom_code_property_t;

#define MP_ROM_CODE_SUBMODULE (0xff)

// All of these are in frozen_content.c.
extern const mp_rom_code_module_t mp_rom_code_modules[];
extern mp_rom_code_globals_t mp_rom_code_globals[];
extern uint16_t mp_rom_code_states[];
extern const size_t mp_rom_code_modules_count;
extern const size_t mp_rom_code_globals_bytes;
extern const mp_rom_code_class_t mp_rom_code_classes[];
extern const size_t mp_rom_code_classes_count;
extern const struct _mp_rom_code_functions_t mp_rom_code_functions;
extern const size_t mp_rom_code_functions_bytes;

void mp_rom_code_init(void);
void mp_rom_code_collect(void);

// Globals of a frozen module, known by their address: a map in RAM, and one in ROM behind it.
static inline bool mp_rom_code_is_globals(const mp_map_t *map) {
    return (size_t)((const char *)map - (const char *)mp_rom_code_globals) < mp_rom_code_globals_bytes;
}
mp_map_elem_t *mp_map_lookup_plain(mp_map_t *map, mp_obj_t index, mp_map_lookup_kind_t lookup_kind);
mp_map_elem_t *mp_rom_code_lookup(mp_map_t *map, mp_obj_t index, mp_map_lookup_kind_t lookup_kind);
bool mp_rom_code_store(mp_obj_dict_t *dict, mp_obj_t key, mp_obj_t value);
mp_obj_dict_t *mp_rom_code_whole(mp_obj_dict_t *dict);
bool mp_rom_code_import_all(mp_obj_t module);

// Modules, functions and classes.
mp_obj_t mp_rom_code_new_module(qstr name, vstr_t *path, const char *frozen, bool is_package);
static inline bool mp_rom_code_is_context(const mp_module_context_t *context) {
    return mp_rom_code_is_globals(&context->module.globals->map);
}
static inline bool mp_rom_code_is_function(const void *proto_fun) {
    return (size_t)((const char *)proto_fun - (const char *)&mp_rom_code_functions) < mp_rom_code_functions_bytes;
}
mp_obj_t mp_rom_code_make_function(const void *proto_fun, const mp_module_context_t *context, const mp_obj_t *def_args);
mp_obj_t mp_rom_code_class(mp_obj_t body, mp_obj_t name, size_t n_bases, const mp_obj_t *bases, mp_obj_t locals);

// The slots of a class that is written in Python, by names that frozen_content.c can use.
extern mp_obj_t mp_rom_code_make_new(const mp_obj_type_t *, size_t, size_t, const mp_obj_t *);
extern void mp_rom_code_print(const mp_print_t *, mp_obj_t, mp_print_kind_t);
extern mp_obj_t mp_rom_code_unary_op(mp_unary_op_t, mp_obj_t);
extern mp_obj_t mp_rom_code_binary_op(mp_binary_op_t, mp_obj_t, mp_obj_t);
extern void mp_rom_code_attr(mp_obj_t, qstr, mp_obj_t *);
extern mp_obj_t mp_rom_code_subscr(mp_obj_t, mp_obj_t, mp_obj_t);
extern mp_int_t mp_rom_code_get_buffer(mp_obj_t, mp_buffer_info_t *, mp_uint_t);

#endif // MICROPY_ROM_CODE

#endif // MICROPY_INCLUDED_PY_ROMCODE_H
