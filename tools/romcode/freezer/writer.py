"""Write what the freezer knows as constants in C."""

import re

from .values import SUBMODULE, Class, Constant, Items, Part, Wrapper, in_rom


class Writer:
    """Writes the constants in C."""

    def __init__(self, rom):
        self.rom = rom
        self.tool = rom.tool
        self.count = 0

    def write(self):
        """Write all of them."""
        rom = self.rom
        print("\n// code objects in ROM")
        modules = rom.modules
        rows = []
        for module in modules:
            rows.append(self.module(module))
        self.functions()
        n = len(modules)
        print("mp_rom_code_globals_t mp_rom_code_globals[%d];" % n)
        print("uint16_t mp_rom_code_states[%d];" % n)
        print("const size_t mp_rom_code_modules_count = %d;" % n)
        print("const size_t mp_rom_code_globals_bytes = sizeof(mp_rom_code_globals);")
        print("const mp_rom_code_module_t mp_rom_code_modules[%d] = {" % n)
        for row in rows:
            print(row)
        print("};")
        classes = [found for module in modules for found in module.classes]
        print("const size_t mp_rom_code_classes_count = %d;" % len(classes))
        print("const mp_rom_code_class_t mp_rom_code_classes[%d] = {" % max(1, len(classes)))
        for found in classes:
            base = found.base.text() if found.base else "MP_ROM_NONE"
            body = "&mp_rom_code_functions.f_%s" % found.code.escaped_name
            print("    { %s, &%s, %s }," % (body, found.symbol, base))
        print("};")

    def qstr(self, name):
        return self.tool["QStrType"](name).qstr_id

    def text(self, value):
        """The initialiser in C of a value, after what it needs was written."""
        if isinstance(value, Part):
            item = value.payload
            return self.tool_object(value.whole, value.index, item)
        if isinstance(value, Items):
            return self.tuple([self.text(item) for item in value.items])
        if isinstance(value, Wrapper):
            return self.wrapper(value)
        if isinstance(value, Constant) and value._text is None:
            return self.object(value.payload)
        return value.text()

    def unique(self, kind):
        self.count += 1
        return "rom_code_%s_%d" % (kind, self.count)

    def object(self, payload):
        """A constant that the freezer itself knows how to write."""
        writer = self.tool["CompiledModule"].freeze_constant_obj
        return writer(self.rom.modules[0].compiled, self.unique("const"), payload)

    def tool_object(self, whole, index, item):
        # The parts of a constant tuple have names in C, but only those that are objects.
        reference = whole.text()
        found = re.fullmatch(r"MP_ROM_PTR\(&(const_obj_\w+)\)", reference)
        if found and isinstance(item, float):
            return "%s_%d_macro" % (found[1], index)
        if found and isinstance(item, (str, bytes, int, tuple)) and not isinstance(item, bool):
            if not self.is_object(item):
                return self.object(item)
            return "MP_ROM_PTR(&%s_%d)" % (found[1], index)
        return self.object(item)

    def is_object(self, item):
        """Whether the freezer writes it as an object with a name of its own."""
        if isinstance(item, str):
            return len(item) > 0 and not self.tool["global_qstrs"].find_by_str(item)
        if isinstance(item, int):
            return not self.tool["mp_small_int_fits"](item)
        return len(item) > 0

    def tuple(self, texts):
        if not texts:
            return "MP_ROM_PTR(&mp_const_empty_tuple_obj)"
        name = self.unique("tuple")
        print("static const mp_rom_obj_tuple_t %s = {{&mp_type_tuple}, %d, {" % (name, len(texts)))
        print("    " + ", ".join(texts) + "\n}};")
        return "MP_ROM_PTR(&%s)" % name

    def wrapper(self, value):
        name = self.unique(value.kind)
        texts: list[str] = [self.text(function) for function in value.functions]
        if value.kind == "property":
            texts += ["MP_ROM_NONE"] * (3 - len(texts))
            form = "static const mp_rom_code_property_t %s = {{&mp_type_property}, {%s}};"
        else:
            form = (
                "static const mp_rom_obj_static_class_method_t %s = {{&mp_type_"
                + value.kind
                + "}, %s};"
            )
        print(form % (name, ", ".join(texts)))
        return "MP_ROM_PTR(&%s)" % name

    def table(self, entries):
        """A hash table {name: text}; returns (name in C or NULL, slots, names in their order)."""
        if not entries:
            return "NULL", 0, []
        size = len(entries) + len(entries) // 3 + 1
        slots = [None] * size
        compute = self.tool["qstrutil"].compute_hash
        in_hash = self.rom.config.MICROPY_QSTR_BYTES_IN_HASH
        for name in entries:
            at = compute(name.encode(), in_hash) % size
            while slots[at] is not None:
                at = (at + 1) % size
            slots[at] = name
        title = self.unique("table")
        print("static const mp_rom_map_elem_t %s[%d] = {" % (title, size))
        for name in slots:
            if name is None:
                print("    { 0, 0 },")
            else:
                print("    { MP_ROM_QSTR(%s), %s }," % (self.qstr(name), entries[name]))
        print("};")
        return title, size, slots

    def map(self, title, size, used):
        return (
            "{ .all_keys_are_qstrs = 1, .is_fixed = 1, .is_ordered = 0, .used = %d, .alloc = %d,"
            " .table = (mp_map_elem_t *)(mp_rom_map_elem_t *)%s }" % (used, size, title)
        )

    def module(self, module):
        """Write a module's table; return its row."""
        for found in module.classes:
            self.klass(found)
        values = in_rom(module)
        texts = {name: self.text(value) for name, value in values.items()}
        submodules = self.rom.submodules(module)
        order = {name: i for i, name in enumerate(values)}
        for name, other in submodules.items():
            if name not in texts:
                texts[name] = other.text()
                order[name] = SUBMODULE
        title, size, slots = self.table(texts)
        orders = "NULL"
        if size:
            orders = self.unique("order")
            print("static const uint8_t %s[%d] = {" % (orders, size))
            print("    " + ", ".join(str(order.get(name, 0)) for name in slots) + "\n};")
        compiled = module.compiled
        escaped = compiled.escaped_name
        qstrs = (
            "(qstr_short_t *)&const_qstr_table_data_" + escaped if compiled.qstr_table else "NULL"
        )
        objects = "(mp_obj_t *)&const_obj_table_data_" + escaped if compiled.obj_table else "NULL"
        return (
            "    { // %s\n"
            "        .context = { .module = { { &mp_type_module },"
            " (mp_obj_dict_t *)&mp_rom_code_globals[%d] },\n"
            "            .constants = { .qstr_table = %s, .obj_table = %s } },\n"
            "        .map = %s,\n"
            "        .order = %s, .name = %s, .count = %d },"
            % (
                *(module.name, module.index, qstrs, objects),
                *(self.map(title, size, len(texts)), orders, self.qstr(module.name), len(values)),
            )
        )

    def klass(self, found):
        """Write a class."""
        texts = {name: self.text(value) for name, value in found.entries.items()}
        title, size, _ = self.table(texts)
        name = found.symbol + "_locals"
        print("static const mp_obj_dict_t %s = {" % name)
        print("    .base = { &mp_type_dict }, .map = %s" % self.map(title, size, len(texts)))
        print("};")
        flags = ["MP_TYPE_FLAG_EQ_NOT_REFLEXIVE", "MP_TYPE_FLAG_EQ_CHECKS_OTHER_TYPE"]
        flags += ["MP_TYPE_FLAG_EQ_HAS_NEQ_TEST", "MP_TYPE_FLAG_ITER_IS_GETITER"]
        # Nobody may mark it as subclassed later, so it is from the start.
        flags += ["MP_TYPE_FLAG_INSTANCE_TYPE", "MP_TYPE_FLAG_IS_SUBCLASSED"]
        if found.has_accessors():
            flags.append("MP_TYPE_FLAG_HAS_SPECIAL_ACCESSORS")
        elif self.may_have_accessors(found):
            flags.append("(MICROPY_PY_DELATTR_SETATTR ? MP_TYPE_FLAG_HAS_SPECIAL_ACCESSORS : 0)")
        print("MP_DEFINE_CONST_OBJ_TYPE(")
        print("    %s, %s, %s," % (found.symbol, self.qstr(found.name.payload), " | ".join(flags)))
        print("    make_new, mp_rom_code_make_new, print, mp_rom_code_print,")
        print("    call, mp_obj_instance_call, unary_op, mp_rom_code_unary_op,")
        print("    binary_op, mp_rom_code_binary_op, attr, mp_rom_code_attr,")
        print("    subscr, mp_rom_code_subscr, iter, mp_obj_instance_getiter,")
        print("    buffer, mp_rom_code_get_buffer, locals_dict, &%s" % name, end="")
        if found.base:
            base = found.base.text()
            print(",\n    parent, %s" % re.fullmatch(r"MP_ROM_PTR\((.*)\)", base)[1], end="")
        print("\n    );")

    def may_have_accessors(self, found):
        while isinstance(found, Class):
            if "__setattr__" in found.entries or "__delattr__" in found.entries:
                return True
            found = found.base
        return False

    def functions(self):
        """Write all functions."""
        functions = [f for module in self.rom.modules for f in module.functions]
        rows = []
        generator = self.tool["MP_SCOPE_FLAG_GENERATOR"]
        for function in functions:
            extra: list[str] = [self.text(value) for value in function.positional]
            if function.keywords:
                entries = {key.payload: self.text(v) for key, v in function.keywords.items()}
                title, size, _ = self.table(entries)
                name = self.unique("keywords")
                form = "static const mp_obj_dict_t %s = { .base = { &mp_type_dict }, .map = %s };"
                print(form % (name, self.map(title, size, len(entries))))
                extra.append("MP_ROM_PTR(&%s)" % name)
            code = function.code
            kind = "gen_wrap" if code.scope_flags & generator else "fun_bc"
            children = "(void *)&children_" + code.escaped_name if code.children else "NULL"
            rows.append(
                "    .%s = { { &mp_type_%s }, &mp_rom_code_modules[%d].context,"
                " %s, fun_data_%s%s },"
                % (
                    *(function.symbol, kind, function.module.index, children, code.escaped_name),
                    ", { %s }" % ", ".join(extra) if extra else "",
                )
            )
        print("const struct _mp_rom_code_functions_t mp_rom_code_functions = {")
        print("    .first = { &mp_type_object },")
        for row in rows:
            print(row)
        print("};")
        print("const size_t mp_rom_code_functions_bytes = sizeof(mp_rom_code_functions);")
