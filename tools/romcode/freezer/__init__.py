"""The freezer's half of code objects in ROM: predict what frozen modules make, as constants.

Lies in the patched copy of MicroPython beside mpy-tool.py, which calls it where MICROPY_ROM_CODE
is set:

    rom_code = romcode_freezer.RomCode(globals(), compiled_modules)   # analyses all modules
    rom_code.declare()       # before the modules are written: types and names
    rom_code.define()        # behind them: functions, classes, globals
    rom_code.report()        # what stays in RAM, and why: comments

Nothing here has to be right for a program to run right: py/romcode.c compares each prediction with
what the running module does. What has to be found here is code that writes into a class, for a
class in ROM cannot be written: such a class stays in RAM, and the report says who writes it.

A module's body is interpreted symbolically, once, from top to bottom. What an instruction that may
be jumped over stores is left to RAM, and nothing that a loop makes is a constant.
"""

import os
import re
import string

from .interpreter import Interpreter
from .values import Constant, Module, Named, all_codes, in_rom, is_bytecode
from .writer import Writer

_WORD = re.compile(rb"\b[A-Za-z_]\w{2,31}\b")
# A word's end -> what stands there in others: phases, tariffs, and what comes beside a reading.
_MADE = {
    "_l1": ("_l2", "_l3"),
    "_t1": ("_t2", "_t3", "_t4"),
    "_peak": ("_peak_time",),
    "gas": ("gas_time", "gas_flow", "gas_valve"),
    "water": ("water_time", "water_flow", "water_valve"),
}
# Attributes of modules in C: those that have a name in C that others can use.
_C_ATTRIBUTES = {("micropython", "const"): "MP_ROM_PTR(&mp_identity_obj)"}


class RomCode:
    """All frozen modules together."""

    def __init__(self, mpy_tool, compiled_modules):
        self.tool = mpy_tool
        self.op = mpy_tool["Opcode"]
        self.config = mpy_tool["config"]
        self.modules = [Module(i, cm) for i, cm in enumerate(compiled_modules)]
        self.by_name = {module.name: module for module in self.modules}
        self.c_modules = self._read_c_modules()
        self.written = {}  # raw code of a class's body -> [place of a write into that class]
        self.methods = {}  # raw code of a function -> (raw code of its class's body, wrapper)
        self.parents = {}  # raw code of a class's body -> raw code of its base's
        while True:
            before = len(self.written)
            self._analyse()
            if len(self.written) == before:
                break
        for module in self.modules:
            for function in module.functions:
                function.code.rom_function = function
        self._add_names()

    def _read_c_modules(self):
        """The modules in C of this build: name -> (symbol, whether a file or frozen code wins)."""
        path = os.path.join(self.config.genhdr, "moduledefs.h")
        with open(path) as file:
            text = file.read()
        rows = re.findall(
            r"#define (\w+) \{ MP_ROM_QSTR\(MP_QSTR_(\w+)\), MP_ROM_PTR\(&(\w+)\)", text
        )
        _, _, extensible = text.partition("MICROPY_REGISTERED_EXTENSIBLE_MODULES")
        names = extensible.split("// ")[0].split()
        return {name: (symbol, definition in names) for definition, name, symbol in rows}

    def _analyse(self):
        for module in self.modules:
            module.reset()
            for code in all_codes(module.compiled.raw_code):
                code.rom_function = None
        for module in self.modules:
            self.body_of(module)
        for module in self.modules:
            for code in all_codes(module.compiled.raw_code):
                if code is not module.compiled.raw_code and is_bytecode(self.tool, code):
                    Interpreter(self, module, code, "function").run()

    def body_of(self, module):
        """Interpret a module's body, unless that was done or is under way."""
        if module.state != "new":
            return
        module.state = "running"
        tool = self.tool
        module.known["__name__"] = value = self.string(module.name)
        self.enter(module, "__name__", value)
        if module.is_package:
            self.enter(module, "__path__", self.long_string(".frozen/" + module.path[:-12]))
        if self.config.ROM_CODE_FILE:
            self.enter(module, "__file__", self.string(module.path))
        if is_bytecode(tool, module.compiled.raw_code):
            Interpreter(self, module, module.compiled.raw_code, "module").run()
        module.state = "done"

    def enter(self, module, name, value):
        """A module's body stores this for certain."""
        if name in module.entries:
            # Twice: the first is what has to be seen in between, so RAM gets both.
            if module.entries[name] is not value:
                module.entries[name] = None
            return
        module.entries[name] = value

    def submodules(self, module):
        """What importing its submodules stores in a package: name -> Module."""
        found = {}
        prefix = module.name + "."
        for other in self.modules if module.is_package else ():
            name = other.name[len(prefix) :]
            if other.name.startswith(prefix) and "." not in name and name not in module.known:
                found[name] = other
        return found

    def string(self, text):
        """A str that is a qstr."""
        tool = self.tool
        q = tool["global_qstrs"].find_by_str(text) or tool["global_qstrs"].add(text)
        return Constant(text, "MP_ROM_QSTR(%s)" % q.qstr_id)

    def long_string(self, text):
        """A str that need not be a qstr."""
        return Constant(text, None)

    def imported(self, module, name, level, from_list):
        """The module that IMPORT_NAME pushes, or None."""
        if level:
            base = module.package().split(".") if module.package() else []
            base = base[: len(base) - level + 1] if level > 1 else base
            if not base:
                return None
            name = ".".join([*base, name] if name else base)
        found = self.by_name.get(name)
        symbol, extensible = self.c_modules.get(name, ("", False))
        if symbol and not (extensible and found):
            return Named(name, "MP_ROM_PTR(&%s)" % symbol)
        if found is None:
            return None
        for outer in _prefixes(name):
            if outer in self.by_name:
                self.body_of(self.by_name[outer])
        return found if from_list else self.by_name.get(name.split(".")[0])

    def attribute(self, value, name):
        """What an attribute of a known module is, or None."""
        if isinstance(value, Module):
            self.body_of(value)
            if name in value.known:
                return value.known[name] if value.state == "done" else None
            return self.submodules(value).get(name)
        if isinstance(value, Named):
            text = _C_ATTRIBUTES.get((value.name, name))
            return Named(name, text) if text else None
        return None

    def write(self, code, place):
        """Somebody writes into the class with this body, perhaps into those derived from it."""
        if code not in self.written:
            self.written[code] = place
            for derived, base in list(self.parents.items()):
                if base is code:
                    self.write(derived, place)

    def _add_names(self):
        """Make qstrs in ROM of what would become strings in RAM when the modules are used.

        These are the names of modules, which an import makes of their parts, the words of tables
        that are packed into bytes and what a codec makes of them (lib/dsmr), and single
        characters, which indexing a text makes.
        """
        for character in string.ascii_letters + string.digits:
            self.string(character)
        for module in self.modules:
            self.string(module.name)
            self.string(module.name.rpartition(".")[2])
            for name in self.submodules(module):
                self.string(name)
            for constant in module.compiled.obj_table:
                if isinstance(constant, bytes) and b"\n" in constant and constant.isascii():
                    for word in _WORD.findall(constant):
                        for text in _made_of(word.decode()):
                            self.string(text)

    # Writing

    def declare(self):
        """Print what the frozen modules' tables name."""
        print('#include "genhdr/moduledefs.h"')
        print('#include "py/builtin.h"')
        print('#include "py/objfun.h"')
        print('#include "py/objtuple.h"')
        print('#include "py/objtype.h"')
        print('#include "py/runtime.h"')
        print('#include "py/romcode.h"')
        print("#if MICROPY_QSTR_BYTES_IN_HASH != %d" % self.config.MICROPY_QSTR_BYTES_IN_HASH)
        print('#error "incompatible MICROPY_QSTR_BYTES_IN_HASH"')
        print("#endif")
        print()
        print("struct _mp_rom_code_functions_t {")
        print("    mp_obj_base_t first;")
        for module in self.modules:
            for function in module.functions:
                n = len(function.positional) + bool(function.keywords)
                extra = " mp_rom_obj_t extra_args[%d];" % n if n else ""
                print(
                    "    struct { mp_obj_base_t base; const mp_module_context_t *context;"
                    " struct _mp_raw_code_t *const *child_table; const byte *bytecode;%s } %s;"
                    % (extra, function.symbol)
                )
        print("};")
        for module in self.modules:
            for found in module.classes:
                print("extern const mp_obj_type_t %s;" % found.symbol)
        print()

    def define(self):
        """Print the constants."""
        Writer(self).write()

    def report(self):
        """Print what stays in RAM, a line each, for tools to read."""
        print("\n/*\nrom code:")
        functions = sum(len(module.functions) for module in self.modules)
        classes = sum(len(module.classes) for module in self.modules)
        entries = sum(len(in_rom(module)) for module in self.modules)
        print(
            "in rom: %d modules, %d functions, %d classes, %d globals"
            % (len(self.modules), functions, classes, entries)
        )
        for module in self.modules:
            for kind, name, line, why in module.left:
                print("in ram: %s %s %s:%d: %s" % (kind, name, module.path, line, why))
        print("*/")


def _made_of(word):
    """Yield a word of a table, and those that are made of it."""
    yield word
    for end, others in _MADE.items():
        if word.endswith(end):
            for other in others:
                yield word[: -len(end)] + other


def _prefixes(name):
    """The packages of a module and itself: of "a.b" ["a", "a.b"]."""
    parts = name.split(".")
    return [".".join(parts[: i + 1]) for i in range(len(parts))]
