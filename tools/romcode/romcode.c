// Code objects of frozen modules in ROM: what running a module's body does with the predictions
// that frozen_content.c holds. See romcode.h and docs/romcode.md.

#include <string.h>

#include "py/runtime.h"
#include "py/builtin.h"
#include "py/emitglue.h"
#include "py/frozenmod.h"
#include "py/gc.h"
#include "py/objmodule.h"
#include "py/objstr.h"
#include "py/objtuple.h"
#include "py/romcode.h"

#if MICROPY_ROM_CODE

// A module's state: how many of its predicted entries its body has come to, in their order, so
// that none is seen before its time; and whether its package has it as an attribute.
#define STORED_MASK (0x0fff)
#define STORED_WHOLE (0x0fff) // its globals are in RAM, all of them: the map in ROM does not count
#define ATTACHED (0x8000)

extern const mp_frozen_module_t *const mp_frozen_mpy_content[];

MP_STATIC_ASSERT(offsetof(mp_obj_dict_t, map) == offsetof(mp_rom_code_globals_t, ram));

void mp_rom_code_init(void) {
    for (size_t i = 0; i < mp_rom_code_modules_count; ++i) {
        mp_rom_code_globals[i].base.type = &mp_type_dict;
        mp_rom_code_globals[i].ram = NULL;
        mp_rom_code_states[i] = 0;
    }
}

void mp_rom_code_collect(void) {
    gc_collect_root((void **)(void *)mp_rom_code_globals, mp_rom_code_globals_bytes / sizeof(void *));
}

static size_t index_of(const mp_map_t *map) {
    return ((const char *)map - (const char *)mp_rom_code_globals) / sizeof(mp_rom_code_globals_t);
}

// What a module has in RAM of this name, or NULL.
static mp_map_elem_t *in_ram(size_t i, mp_obj_t key) {
    mp_obj_dict_t *ram = mp_rom_code_globals[i].ram;
    return ram == NULL ? NULL : mp_map_lookup_plain(&ram->map, key, MP_MAP_LOOKUP);
}

static mp_obj_dict_t *dict_in_ram(size_t i) {
    if (mp_rom_code_globals[i].ram == NULL) {
        mp_rom_code_globals[i].ram = MP_OBJ_TO_PTR(mp_obj_new_dict(0));
    }
    return mp_rom_code_globals[i].ram;
}

// A place in RAM for this name; its value is MP_OBJ_NULL when it is new.
static mp_map_elem_t *add_in_ram(size_t i, mp_obj_t key) {
    return mp_map_lookup_plain(&dict_in_ram(i)->map, key, MP_MAP_LOOKUP_ADD_IF_NOT_FOUND);
}

static size_t stored_of(size_t i) {
    return mp_rom_code_states[i] & STORED_MASK;
}

static void set_stored(size_t i, size_t stored) {
    mp_rom_code_states[i] = (mp_rom_code_states[i] & ~STORED_MASK) | stored;
}

// The state of a module that is in its package's map.
static uint16_t *state_of(mp_obj_t module) {
    const mp_rom_code_module_t *record = MP_OBJ_TO_PTR(module);
    return &mp_rom_code_states[record - mp_rom_code_modules];
}

// The predicted entry, whether its time has come or not; or NULL.
static mp_map_elem_t *predicted(const mp_rom_code_module_t *record, mp_obj_t key) {
    return mp_map_lookup_plain((mp_map_t *)&record->map, key, MP_MAP_LOOKUP);
}

static size_t order_of(size_t i, const mp_map_elem_t *elem) {
    const mp_rom_code_module_t *record = &mp_rom_code_modules[i];
    return record->order[elem - record->map.table];
}

static bool is_submodule(size_t i, const mp_map_elem_t *elem) {
    return order_of(i, elem) == MP_ROM_CODE_SUBMODULE;
}

static bool is_visible(size_t i, const mp_map_elem_t *elem) {
    size_t stored = stored_of(i);
    if (stored == STORED_WHOLE) {
        return false;
    }
    if (is_submodule(i, elem)) {
        return *state_of(elem->value) & ATTACHED;
    }
    return order_of(i, elem) < stored;
}

// The predicted entry if its time has come, or NULL.
static mp_map_elem_t *visible(size_t i, mp_obj_t key) {
    mp_map_elem_t *elem = predicted(&mp_rom_code_modules[i], key);
    return elem != NULL && is_visible(i, elem) ? elem : NULL;
}

static bool all_same(size_t n, const mp_obj_t *a, const mp_obj_t *b);

// Whether nothing but `is` could tell the two apart.
static bool is_same(mp_obj_t a, mp_obj_t b) {
    if (a == b) {
        return true;
    }
    if (a == MP_OBJ_NULL || b == MP_OBJ_NULL) {
        return false;
    }
    const mp_obj_type_t *type = mp_obj_get_type(a);
    if (type != mp_obj_get_type(b)) {
        return false;
    }
    if (type == &mp_type_str || type == &mp_type_bytes || type == &mp_type_int) {
        return mp_obj_equal(a, b);
    }
    if (type == &mp_type_tuple) {
        mp_obj_tuple_t *one = MP_OBJ_TO_PTR(a);
        mp_obj_tuple_t *other = MP_OBJ_TO_PTR(b);
        return one->len == other->len && all_same(one->len, one->items, other->items);
    }
    if (type == &mp_type_staticmethod || type == &mp_type_classmethod) {
        mp_obj_static_class_method_t *one = MP_OBJ_TO_PTR(a);
        mp_obj_static_class_method_t *other = MP_OBJ_TO_PTR(b);
        return is_same(one->fun, other->fun);
    }
    #if MICROPY_PY_BUILTINS_PROPERTY
    if (type == &mp_type_property) {
        return all_same(3, mp_obj_property_get(a), mp_obj_property_get(b));
    }
    #endif
    return false;
}

static bool all_same(size_t n, const mp_obj_t *a, const mp_obj_t *b) {
    for (size_t i = 0; i < n; ++i) {
        if (!is_same(a[i], b[i])) {
            return false;
        }
    }
    return true;
}

// Whether a dict in RAM has the very entries of a fixed one.
static bool is_same_dict(mp_obj_t in_ram, const mp_obj_dict_t *fixed) {
    const mp_map_t *map = mp_obj_dict_get_map(in_ram);
    if (map->used != fixed->map.used) {
        return false;
    }
    for (size_t i = 0; i < map->alloc; ++i) {
        if (mp_map_slot_is_filled(map, i)) {
            mp_map_elem_t *elem = mp_map_lookup_plain((mp_map_t *)&fixed->map, map->table[i].key, MP_MAP_LOOKUP);
            if (elem == NULL || !is_same(map->table[i].value, elem->value)) {
                return false;
            }
        }
    }
    return true;
}

// Called by mp_map_lookup for maps that are mp_rom_code_is_globals().
mp_map_elem_t *mp_rom_code_lookup(mp_map_t *map, mp_obj_t index, mp_map_lookup_kind_t lookup_kind) {
    size_t i = index_of(map);
    if (lookup_kind == MP_MAP_LOOKUP) {
        mp_map_elem_t *elem = in_ram(i, index);
        return elem == NULL ? visible(i, index) : elem;
    }
    mp_map_elem_t *rom = visible(i, index);
    if (lookup_kind == MP_MAP_LOOKUP_ADD_IF_NOT_FOUND) {
        // Who wants a place that can be written gets one.
        mp_map_elem_t *elem = add_in_ram(i, index);
        if (elem->value == MP_OBJ_NULL && rom != NULL) {
            elem->value = rom->value;
        }
        return elem;
    }
    // What is removed must not be seen in ROM any more. First there is a place for it in RAM: in
    // case there is no memory, nothing has changed.
    if (rom != NULL && is_submodule(i, rom)) {
        mp_map_elem_t *elem = add_in_ram(i, index);
        if (elem->value == MP_OBJ_NULL) {
            elem->value = rom->value;
        }
        *state_of(rom->value) &= ~ATTACHED;
    } else if (rom != NULL) {
        mp_rom_code_whole((mp_obj_dict_t *)&mp_rom_code_globals[i]);
    }
    mp_obj_dict_t *ram = mp_rom_code_globals[i].ram;
    return ram == NULL ? NULL : mp_map_lookup_plain(&ram->map, index, MP_MAP_LOOKUP_REMOVE_IF_FOUND);
}

// Called by mp_obj_dict_store for dicts that are mp_rom_code_is_globals(): true when nothing is
// left to be done, since ROM has the entry.
bool mp_rom_code_store(mp_obj_dict_t *dict, mp_obj_t key, mp_obj_t value) {
    size_t i = index_of(&dict->map);
    const mp_rom_code_module_t *record = &mp_rom_code_modules[i];
    size_t stored = stored_of(i);
    mp_map_elem_t *elem = stored == STORED_WHOLE ? NULL : predicted(record, key);
    if (elem == NULL) {
        return false;
    }
    size_t order = order_of(i, elem);
    bool only_rom = in_ram(i, key) == NULL;
    bool as_predicted = is_same(elem->value, value);
    if (order == MP_ROM_CODE_SUBMODULE) {
        if (only_rom && as_predicted) {
            *state_of(value) |= ATTACHED;
            return true;
        }
        return false;
    }
    if (order > stored) {
        return false; // before its time, by a function or another module: RAM keeps it
    }
    if (!(only_rom && as_predicted)) {
        // First into RAM: in case there is no memory, nothing has changed.
        add_in_ram(i, key)->value = value;
    }
    if (order == stored) {
        set_stored(i, stored + 1);
    }
    return true;
}

// All of a module's globals as a plain dict in RAM, for what wants to see or change them as one;
// ROM does not count for them any more. Any other dict is returned as it is.
mp_obj_dict_t *mp_rom_code_whole(mp_obj_dict_t *dict) {
    if (!mp_rom_code_is_globals(&dict->map)) {
        return dict;
    }
    size_t i = index_of(&dict->map);
    mp_obj_dict_t *ram = dict_in_ram(i);
    const mp_map_t *map = &mp_rom_code_modules[i].map;
    for (size_t slot = 0; slot < map->alloc; ++slot) {
        if (mp_map_slot_is_filled(map, slot) && is_visible(i, &map->table[slot])) {
            mp_map_elem_t *elem = add_in_ram(i, map->table[slot].key);
            if (elem->value == MP_OBJ_NULL) {
                elem->value = map->table[slot].value;
            }
        }
    }
    set_stored(i, STORED_WHOLE);
    return ram;
}

static void store_public(mp_obj_t key, mp_obj_t value) {
    const char *name = mp_obj_str_get_str(key);
    if (*name != '_') {
        mp_store_name(mp_obj_str_get_qstr(key), value);
    }
}

// What `from module import *` stores, in the order in which the module itself stored it; false
// for a module that has nothing in ROM.
bool mp_rom_code_import_all(mp_obj_t module) {
    if (!mp_obj_is_type(module, &mp_type_module)) {
        return false;
    }
    mp_obj_dict_t *dict = mp_obj_module_get_globals(module);
    if (!mp_rom_code_is_globals(&dict->map)) {
        return false;
    }
    size_t i = index_of(&dict->map);
    const mp_rom_code_module_t *record = &mp_rom_code_modules[i];
    for (size_t order = 0; order <= record->count; ++order) {
        size_t wanted = order < record->count ? order : MP_ROM_CODE_SUBMODULE;
        for (size_t slot = 0; slot < record->map.alloc; ++slot) {
            mp_map_elem_t *elem = &record->map.table[slot];
            if (mp_map_slot_is_filled(&record->map, slot) && record->order[slot] == wanted && is_visible(i, elem)
                && in_ram(i, elem->key) == NULL) {
                store_public(elem->key, elem->value);
            }
        }
    }
    mp_obj_dict_t *ram = mp_rom_code_globals[i].ram;
    for (size_t slot = 0; ram != NULL && slot < ram->map.alloc; ++slot) {
        if (mp_map_slot_is_filled(&ram->map, slot)) {
            store_public(ram->map.table[slot].key, ram->map.table[slot].value);
        }
    }
    return true;
}

// A module that is about to be loaded from this path, as mp_obj_new_module makes it; `frozen` is
// what the paths of frozen files begin with.
mp_obj_t mp_rom_code_new_module(qstr name, vstr_t *path, const char *frozen, bool is_package) {
    const size_t prefix = strlen(frozen);
    const char *file = vstr_null_terminated_str(path);
    if (strncmp(file, frozen, prefix) != 0) {
        return mp_obj_new_module(name);
    }
    size_t length = path->len;
    if (is_package) {
        vstr_add_str(path, "/__init__.py");
        file = vstr_null_terminated_str(path);
    }
    int type = MP_FROZEN_NONE;
    void *content = NULL;
    mp_find_frozen_module(file + prefix, &type, &content);
    path->len = length;
    for (size_t i = 0; type == MP_FROZEN_MPY && i < mp_rom_code_modules_count; ++i) {
        if (mp_frozen_mpy_content[i] != content || mp_rom_code_modules[i].name != name) {
            continue;
        }
        mp_map_t *loaded = &MP_STATE_VM(mp_loaded_modules_dict).map;
        mp_map_elem_t *elem = mp_map_lookup(loaded, MP_OBJ_NEW_QSTR(name), MP_MAP_LOOKUP_ADD_IF_NOT_FOUND);
        if (elem->value == MP_OBJ_NULL) {
            // There is one such module, so a second import of it begins with empty globals.
            mp_rom_code_globals[i].ram = NULL;
            set_stored(i, 0);
            elem->value = MP_OBJ_FROM_PTR(&mp_rom_code_modules[i]);
            mp_obj_dict_store(MP_OBJ_FROM_PTR(&mp_rom_code_globals[i]), MP_OBJ_NEW_QSTR(MP_QSTR___name__), MP_OBJ_NEW_QSTR(name));
        }
        return elem->value;
    }
    return mp_obj_new_module(name);
}

static bool has_defaults(const mp_obj_fun_bc_t *fun, const mp_obj_t *def_args) {
    const byte *ip = fun->bytecode;
    MP_BC_PRELUDE_SIG_DECODE(ip);
    (void)n_state;
    (void)n_exc_stack;
    (void)n_pos_args;
    (void)n_kwonly_args;
    mp_obj_t positional = def_args == NULL ? MP_OBJ_NULL : def_args[0];
    mp_obj_t keyword = def_args == NULL ? MP_OBJ_NULL : def_args[1];
    size_t n = 0;
    mp_obj_t *items = NULL;
    if (positional != MP_OBJ_NULL) {
        mp_obj_tuple_get(positional, &n, &items);
    }
    if (n != n_def_pos_args || !all_same(n, items, fun->extra_args)) {
        return false;
    }
    if ((keyword != MP_OBJ_NULL) != ((scope_flags & MP_SCOPE_FLAG_DEFKWARGS) != 0)) {
        return false;
    }
    return keyword == MP_OBJ_NULL || is_same_dict(keyword, MP_OBJ_TO_PTR(fun->extra_args[n]));
}

// For a proto-function that is mp_rom_code_is_function(): the function in ROM itself, or a new
// one where another module's context or other defaults are wanted.
mp_obj_t mp_rom_code_make_function(const void *proto_fun, const mp_module_context_t *context, const mp_obj_t *def_args) {
    const mp_obj_fun_bc_t *fun = proto_fun;
    if (fun->context == context && has_defaults(fun, def_args)) {
        return MP_OBJ_FROM_PTR(fun);
    }
    mp_obj_t made = mp_obj_new_fun_bc(def_args, fun->bytecode, context, fun->child_table);
    ((mp_obj_base_t *)MP_OBJ_TO_PTR(made))->type = fun->base.type; // it may be a generator's
    return made;
}

// The class in ROM with this body, if its body has stored what was predicted; else MP_OBJ_NULL.
mp_obj_t mp_rom_code_class(mp_obj_t body, mp_obj_t name, size_t n_bases, const mp_obj_t *bases, mp_obj_t locals) {
    if (!mp_obj_is_obj(body) || !mp_rom_code_is_function(MP_OBJ_TO_PTR(body)) || n_bases > 1) {
        return MP_OBJ_NULL;
    }
    for (size_t i = 0; i < mp_rom_code_classes_count; ++i) {
        const mp_rom_code_class_t *known = &mp_rom_code_classes[i];
        if (known->body != MP_OBJ_TO_PTR(body)) {
            continue;
        }
        mp_obj_t base = n_bases == 0 ? mp_const_none : bases[0];
        if (base != (mp_obj_t)known->base || name != MP_OBJ_NEW_QSTR(known->type->name)
            || !is_same_dict(locals, MP_OBJ_TYPE_GET_SLOT(known->type, locals_dict))) {
            break;
        }
        mp_obj_dict_t *dict = MP_OBJ_TO_PTR(locals); // a dict that was made for this call only
        mp_map_deinit(&dict->map);
        m_del_obj(mp_obj_dict_t, dict);
        return MP_OBJ_FROM_PTR(known->type);
    }
    return MP_OBJ_NULL;
}

#endif // MICROPY_ROM_CODE
