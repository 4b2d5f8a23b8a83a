"""Where our lines go in MicroPython's sources: data for tools/romcode.

A file is known by its SHA-256, so a line number names one place for certain. Each row of FILES is
(line, what is there, our lines): they are inserted behind that line. Nothing is taken away and
nothing of MicroPython's text is here. `python3 -m tools.romcode --where <checkout>` shows each
place in its surroundings, which is what a port to another version begins with.
"""

# ruff: noqa: E501 - lines of C, deep in data

VERSION = "1.29.0-preview, commit 1c3c20114 of 2026-08-19"


def _when(*lines: str) -> tuple[str, ...]:
    return ("#if MICROPY_ROM_CODE", *lines, "#endif")


def _instead(*lines: str) -> tuple[str, ...]:
    """In place of the next line, behind which another row has the #endif."""
    return ("#if MICROPY_ROM_CODE", *lines, "#else")


_INCLUDE = _when('#include "py/romcode.h"')

FILES = {
    "py/mpconfig.h": (
        "3b73b98bff5fdd8a3cfe0941db68e307ec72f612dafb11a91f7d3caf18cffec7",
        [
            (
                1170,
                "behind the defaults of frozen modules",
                (
                    "",
                    "// Whether functions, classes and globals of frozen modules are constants in ROM as far",
                    "// as they can be known while freezing; what else they are is in RAM, as without this.",
                    "#ifndef MICROPY_ROM_CODE",
                    "#define MICROPY_ROM_CODE (0)",
                    "#endif",
                ),
            ),
        ],
    ),
    "ports/esp8266/boards/esp8266_common.ld": (
        "6da223781d1b8f3f2b31169c7f2ae699f72e35605a450fa1f608b1651bcb724e",
        [
            (
                119,
                "the core's files that run from flash: the linker puts others into IRAM",
                ("        *py/romcode.o*(.literal* .text*)",),
            ),
        ],
    ),
    "py/qstrdefs.h": (
        "7466218bbbd39d006efc9b90485b7249baa98cde8f18c024b96b447e87dca9c8",
        [
            (
                36,
                "the settings that the freezer gets to see",
                _when(
                    "QCFG(ROM_CODE, 1)",
                    "#if MICROPY_MODULE___FILE__",
                    "QCFG(ROM_CODE_FILE, 1)",
                    "#endif",
                ),
            ),
        ],
    ),
    "py/map.c": (
        "06c6fc5e49dd778b1abb4cd989b3705d21e6f338a8eef0474815b717ee7e33a0",
        [
            (34, "the includes", _INCLUDE),
            (
                155,
                "before mp_map_lookup: for one map, in RAM or ROM",
                _when("#define mp_map_lookup mp_map_lookup_plain"),
            ),
            (
                322,
                "behind mp_map_lookup",
                (
                    "",
                    *_when(
                        "#undef mp_map_lookup",
                        "mp_map_elem_t *MICROPY_WRAP_MP_MAP_LOOKUP(mp_map_lookup)(",
                        "    mp_map_t * map, mp_obj_t index, mp_map_lookup_kind_t kind) {",
                        "    if (MP_UNLIKELY(mp_rom_code_is_globals(map))) {",
                        "        return mp_rom_code_lookup(map, index, kind);",
                        "    }",
                        "    return mp_map_lookup_plain(map, index, kind);",
                        "}",
                    ),
                ),
            ),
        ],
    ),
    "py/objdict.c": (
        "d7951ae5bbd086161ccdc45b05aa5082bd59262beeb391f3f66af9f4d0209b5a",
        [
            (34, "the includes", _INCLUDE),
            (
                662,
                "mp_obj_dict_store: a dict is known",
                _when(
                    "    if (mp_rom_code_is_globals(&self->map) && mp_rom_code_store(self, key, value)) {",
                    "        return self_in;",
                    "    }",
                ),
            ),
        ],
    ),
    "py/objmodule.c": (
        "3aaaf1a429ae72d646542e4506f564223e4c1cb814b6d690c26bb9311bf247b7",
        [
            (35, "the includes", _INCLUDE),
            (
                71,
                "module_attr: __dict__ is asked for",
                _when("            dest[0] = MP_OBJ_FROM_PTR(mp_rom_code_whole(self->globals));"),
            ),
        ],
    ),
    "py/objfun.c": (
        "d815fe7902e54126680e1198e0219e14d34a75752308be0f3dd5c728f568f722",
        [
            (37, "the includes", _INCLUDE),
            (
                366,
                "a function's __globals__ is asked for",
                _when(
                    "        dest[0] = MP_OBJ_FROM_PTR(mp_rom_code_whole(self->context->module.globals));"
                ),
            ),
        ],
    ),
    "py/objcode.c": (
        "bf292604b85e44d27312398a8cd8a6d38c11f3bc4da41d3760ed18479d2cca8b",
        [
            (43, "the includes", _INCLUDE),
            (
                239,
                "a code object keeps the locals",
                _when("    o->dict_locals = mp_rom_code_whole(o->dict_locals);"),
            ),
        ],
    ),
    "py/objtype.c": (
        "1b2daf1945f6f75ff1d29124a2d229ea608598f555064d291e9831f4b2b358e1",
        [
            (34, "the includes", _INCLUDE),
            (
                1125,
                "type_attr: a store into a fixed dict",
                _when(
                    "                if (mp_obj_is_instance_type(self)) {",
                    "                    mp_raise_msg_varg(&mp_type_AttributeError,",
                    "                        MP_ERROR_TEXT(\"class '%q' is in ROM\"), (qstr)self->name);",
                    "                }",
                ),
            ),
            (
                1203,
                "mp_obj_new_type: a base is about to be marked as subclassed, which one in ROM is",
                _when("            if (!(t->flags & MP_TYPE_FLAG_IS_SUBCLASSED))"),
            ),
            (
                1551,
                "the end",
                (
                    "",
                    *_when(
                        "// Names for frozen_content.c, which makes the same types as mp_obj_new_type, in ROM.",
                        "#define ROM_CODE_NAME(function, name) \\",
                        "    extern __typeof__(function) name __attribute__((alias(#function)))",
                        "ROM_CODE_NAME(mp_obj_instance_make_new, mp_rom_code_make_new);",
                        "ROM_CODE_NAME(instance_print, mp_rom_code_print);",
                        "ROM_CODE_NAME(instance_unary_op, mp_rom_code_unary_op);",
                        "ROM_CODE_NAME(instance_binary_op, mp_rom_code_binary_op);",
                        "ROM_CODE_NAME(mp_obj_instance_attr, mp_rom_code_attr);",
                        "ROM_CODE_NAME(instance_subscr, mp_rom_code_subscr);",
                        "ROM_CODE_NAME(instance_get_buffer, mp_rom_code_get_buffer);",
                    ),
                ),
            ),
        ],
    ),
    "py/modbuiltins.c": (
        "b52a6b7069993cb88d425cab75d588508187f580b7a829e174ec4a502c16180d",
        [
            (36, "the includes", _INCLUDE),
            (
                61,
                "__build_class__: the body has run",
                (
                    "",
                    *_when(
                        "    if (cell == mp_const_none) {",
                        "        mp_obj_t in_rom = mp_rom_code_class(",
                        "            args[0], args[1], n_args - 2, args + 2, class_locals);",
                        "        if (in_rom != MP_OBJ_NULL) {",
                        "            return in_rom;",
                        "        }",
                        "    }",
                    ),
                ),
            ),
            (
                163,
                "dir() without arguments",
                _when("        dict = mp_rom_code_whole(dict);"),
            ),
            (
                594,
                "globals()",
                _instead("    return MP_OBJ_FROM_PTR(mp_rom_code_whole(mp_globals_get()));"),
            ),
            (595, "globals()", ("#endif",)),
            (
                599,
                "locals()",
                _instead("    return MP_OBJ_FROM_PTR(mp_rom_code_whole(mp_locals_get()));"),
            ),
            (600, "locals()", ("#endif",)),
        ],
    ),
    "py/builtinhelp.c": (
        "8ab97521ccbc75c62730df6bc0fba6e7aa6b3e10b5bfd969af0ec55f2c9d6143",
        [
            (32, "the includes", _INCLUDE),
            (
                151,
                "help() of a module",
                _when("        map = &mp_rom_code_whole(mp_obj_module_get_globals(obj))->map;"),
            ),
        ],
    ),
    "py/builtinimport.c": (
        "7ce1058a2d91d7e4ae663abbbc4a7acda218df2d1ce4135d5f31136888c5a76c",
        [
            (38, "the includes", _INCLUDE),
            (
                226,
                "do_load: a frozen module's constants are put into its context",
                _when("            if (!mp_rom_code_is_context(module_obj))"),
            ),
            (
                467,
                "process_import_at_level: the module is made",
                _instead(
                    "    module_obj = mp_rom_code_new_module(",
                    "        full_mod_name, &path, MP_FROZEN_PATH_PREFIX, stat == MP_IMPORT_STAT_DIR);",
                ),
            ),
            (468, "the same", ("#endif",)),
        ],
    ),
    "py/emitglue.c": (
        "12c244a964ca950394195e6fc1faebcbfa236aff04602c81a9814be84e2dce6e",
        [
            (39, "the includes", _INCLUDE),
            (
                183,
                "mp_make_function_from_proto_fun",
                (
                    *_when(
                        "    if (mp_rom_code_is_function(proto_fun)) {",
                        "        return mp_rom_code_make_function(proto_fun, context, def_args);",
                        "    }",
                    ),
                    "",
                ),
            ),
        ],
    ),
    "py/runtime.c": (
        "19da71e92bdecb1ee8506ac743d86d0a62d63731e675184b043338cb43c1e5cc",
        [
            (46, "the includes", _INCLUDE),
            (72, "mp_init", _when("    mp_rom_code_init();")),
            (
                1619,
                "mp_import_all: no __all__",
                _when(
                    "    if (mp_rom_code_import_all(module)) {",
                    "        return;",
                    "    }",
                ),
            ),
        ],
    ),
    "py/gc.c": (
        "70d904812bdbf217e191855601481eace79c07b8bb32ba74161b5a5bfe96466a",
        [
            (33, "the includes", _INCLUDE),
            (474, "gc_collect_start: the roots", _when("    mp_rom_code_collect();")),
        ],
    ),
    "py/py.mk": (
        "99709213b7d4b74e757389da25b2e057f49c2fb24a8b7df5e9967bc8855922ab",
        [(238, "the list of the core's objects", ("\tromcode.o \\",))],
    ),
    "py/py.cmake": (
        "ae1b91f2a48452da3b3332c247522075d5365528b0eb32bb05c82bad58ac5b4a",
        [(45, "the list of the core's sources", ("    ${MICROPY_PY_DIR}/romcode.c",))],
    ),
    "py/manifest.mk": (
        "3428aec3869e29e2e7c714f7ac809a2f1a2db363512921c024e2388237861108",
        [
            (
                53,
                "the rule for frozen_content.c",
                ("$(BUILD)/frozen_content.c: $(BUILD)/genhdr/moduledefs.h",),
            ),
        ],
    ),
    "py/mkrules.cmake": (
        "dda8771670273440907f2c4340626253c306bf2eeec0702920bb6fa290f98e3f",
        [(308, "what frozen_content.c depends on", ("            ${MICROPY_MODULEDEFS}",))],
    ),
    "tools/mpy-tool.py": (
        "68720d55369454f920cd636f28ab1e4cb49efbef35d14340b07d57d941195927",
        [
            (44, "the imports", ("import os", "import romcode_freezer")),
            (
                855,
                "freeze_constants: how C refers to a module's constants",
                ("        self.rom_code_refs = obj_refs",),
            ),
            (
                931,
                "freeze_children: a child",
                (
                    '                if getattr(rc, "rom_function", None):',
                    "                    print(rc.rom_function.child_row())",
                    "                    continue",
                ),
            ),
            (
                938,
                "freeze_raw_code: a function that is a constant has no use for it",
                (
                    '        if getattr(self, "rom_function", None):',
                    "            return",
                ),
            ),
            (
                1591,
                "freeze_mpy: before anything is written",
                (
                    "    rom_code = None",
                    "    if config.ROM_CODE:",
                    "        rom_code = romcode_freezer.RomCode(globals(), compiled_modules)",
                ),
            ),
            (
                1699,
                "freeze_mpy: before the modules",
                ("    if rom_code:", "        rom_code.declare()", ""),
            ),
            (
                1703,
                "freeze_mpy: behind the modules",
                ("    if rom_code:", "        rom_code.define()", ""),
            ),
            (
                1778,
                "freeze_mpy: the end",
                ("    if rom_code:", "        rom_code.report()"),
            ),
            (
                2150,
                "main: what is known of the target",
                ("    config.ROM_CODE = config.ROM_CODE_FILE = False",),
            ),
            (
                2156,
                "main: the settings of the build",
                (
                    '        config.ROM_CODE = "ROM_CODE" in qcfgs',
                    '        config.ROM_CODE_FILE = "ROM_CODE_FILE" in qcfgs',
                    "        config.genhdr = os.path.dirname(args.qstr_header)",
                ),
            ),
        ],
    ),
}
