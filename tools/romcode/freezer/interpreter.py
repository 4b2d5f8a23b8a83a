"""What bytecode stores, which functions and classes it makes, which classes it writes into."""

from .machine import Machine, decode
from .values import (
    BuildClass,
    Class,
    ClassOf,
    Constant,
    Function,
    InstanceOf,
    Items,
    Keywords,
    Module,
    Named,
    Null,
    Part,
    Wrapper,
    all_codes,
    in_rom,
    is_bytecode,
)

# Built-in types that a class may have as its base, or that a module may name.
_EXCEPTIONS = (
    "BaseException Exception ArithmeticError AssertionError AttributeError EOFError"
    " GeneratorExit ImportError IndentationError IndexError KeyError KeyboardInterrupt"
    " LookupError MemoryError NameError NotImplementedError OSError OverflowError RuntimeError"
    " StopIteration SyntaxError SystemExit TypeError ValueError ZeroDivisionError"
)
_BUILTINS = {name: "mp_type_" + name for name in ["object", *_EXCEPTIONS.split()]}
_CALLS = ("property", "staticmethod", "classmethod", "type", "setattr", "delattr")


class Interpreter(Machine):
    """Interprets one piece of bytecode.

    kind: "module": stores are globals; "class": stores are the class's; "function": nothing is
    stored, this only looks for writes into classes.
    """

    def first_argument(self):
        """What a method's first argument is."""
        if self.kind != "function" or self.code not in self.rom.methods:
            return None
        body, wrapper = self.rom.methods[self.code]
        if wrapper == "staticmethod":
            return None
        return ClassOf(body) if wrapper == "classmethod" else InstanceOf(body)

    # Names

    def name(self, name):
        """What a name means here, or None."""
        if self.kind == "class" and name in self.locals:
            return self.locals[name]
        if name in self.module.known:
            return self.module.known[name]
        if name in self.stored_anywhere():
            return None
        if name in _BUILTINS:
            return Named(name, "MP_ROM_PTR(&%s)" % _BUILTINS[name])
        return Named(name) if name in _CALLS else None

    def stored_anywhere(self):
        """Names that some code of this module stores as a global."""
        compiled = self.module.compiled
        if not hasattr(compiled, "rom_code_stores"):
            compiled.rom_code_stores = found = set()
            op = self.op
            stores = (op.MP_BC_STORE_NAME, op.MP_BC_STORE_GLOBAL)
            codes = [c for c in all_codes(compiled.raw_code) if is_bytecode(self.tool, c)]
            for code in codes:
                for _, opcode, arg, _, _ in decode(self.tool, code):
                    if opcode in stores:
                        found.add(code.qstr_table[arg].str)
        return compiled.rom_code_stores

    def LOAD_NAME(self, arg, _):
        self.push(self.name(self.qstr(arg)))

    def LOAD_GLOBAL(self, arg, _):
        self.push(self.name(self.qstr(arg)))

    def STORE_NAME(self, arg, _):
        name = self.qstr(arg)
        value = self.pop()
        if self.kind == "class":
            if not self.writable(value) or name == "__new__":
                value = None
                self.fail("its attribute %s is not a constant" % name)
            if not self.certain:
                self.fail("its body branches")
            if name in self.locals and self.locals[name] is not value:
                self.fail("its attribute %s is stored twice" % name)
            self.locals[name] = value
        elif self.kind == "module":
            self.store_global(name, value)

    def STORE_GLOBAL(self, arg, _):
        value = self.pop()
        if self.kind == "module":
            self.store_global(self.qstr(arg), value)
        elif self.kind == "class":
            self.fail("its body stores a global")

    def store_global(self, name, value):
        module = self.module
        if not self.writable(value):
            value = None
        if not self.certain:
            # RAM gets it. What the name is from here on, nobody knows.
            module.known[name] = None
            if value is not None or name not in module.entries:
                self.leave("global", name, "stored behind a jump")
            return
        if value is None:
            self.leave("global", name, "not a constant")
        module.known[name] = value
        self.rom.enter(module, name, value)

    def leave(self, kind, name, why):
        self.module.left.append((kind, name, self.place(), why))

    def writable(self, value):
        """Whether C can write it."""
        if isinstance(value, Items):
            return all(self.writable(item) for item in value.items)
        if isinstance(value, Named):
            return value.text() is not None
        return isinstance(value, (Constant, Function, Wrapper, Class, Module))

    def DELETE_NAME(self, arg, _):
        if self.kind == "module":
            name = self.qstr(arg)
            self.module.known[name] = None
            self.module.entries[name] = None
        else:
            self.fail("its body deletes")

    DELETE_GLOBAL = DELETE_NAME

    # Attributes

    def LOAD_ATTR(self, arg, _):
        value = self.pop()
        name = self.qstr(arg)
        if name == "__class__" and isinstance(value, InstanceOf):
            self.push(ClassOf(value.code))
        else:
            self.push(self.rom.attribute(value, name))

    def LOAD_METHOD(self, arg, _):
        value = self.pop()
        self.push(self.rom.attribute(value, self.qstr(arg)))
        self.push(None)

    def STORE_ATTR(self, arg, _):
        _, base = self.pops(2)
        self.written(base, self.qstr(arg))
        self.fail("its body stores an attribute")

    def written(self, value, name):
        """Somebody writes an attribute of this."""
        if isinstance(value, (Class, ClassOf)):
            self.rom.write(value.code, "%s writes its attribute %s" % (self.where(), name))

    # Functions and classes

    def MAKE_FUNCTION(self, arg, _):
        self.make_function(self.code.children[arg], [], None)

    def MAKE_FUNCTION_DEFARGS(self, arg, _):
        positional, keywords = self.pops(2)
        code = self.code.children[arg]
        if isinstance(positional, Null):
            items = []
        elif isinstance(positional, Items):
            items = positional.items
        elif isinstance(positional, Constant) and isinstance(positional.payload, tuple):
            items = self.constant_items(positional)
        else:
            items = None
        if not isinstance(keywords, (Null, Keywords)):
            items = None
        entries = keywords.entries if isinstance(keywords, Keywords) else {}
        values = [*(items or ()), *entries.values()]
        if items is None or not all(self.writable(value) for value in values):
            self.leave("function", code.simple_name.str, "a default is not a constant")
            self.push(None)
            return
        self.make_function(code, items, entries)

    def constant_items(self, value):
        """A constant tuple's items; their text is that of the tuple's parts in C."""
        return [Part(value, i) for i in range(len(value.payload))]

    def make_function(self, code, positional, keywords):
        if self.kind == "function":
            self.push(None)
            return
        if not is_bytecode(self.tool, code) or self.in_loop:
            why = "made in a loop" if self.in_loop else "native code"
            self.leave("function", code.simple_name.str, why)
            self.push(None)
            return
        function = Function(self.module, code, positional, keywords or {})
        self.module.functions.append(function)
        self.push(function)

    def LOAD_BUILD_CLASS(self, *_):
        self.push(BuildClass())

    def CALL_FUNCTION(self, arg, _):
        n_positional, n_keywords = arg & 0xFF, arg >> 8 & 0xFF
        keywords = self.pops(2 * n_keywords)
        positional = self.pops(n_positional)
        called = self.pop()
        self.push(self.call(called, positional, keywords))

    def call(self, called, positional, keywords):
        if isinstance(called, BuildClass):
            return self.make_class(positional, keywords)
        if not isinstance(called, Named) or keywords:
            return None
        first = positional[0] if positional else None
        if called.name == "type" and len(positional) == 1 and isinstance(first, InstanceOf):
            return ClassOf(first.code)
        if called.name in ("setattr", "delattr"):
            self.written(first, "by " + called.name)
        most = {"property": 3, "staticmethod": 1, "classmethod": 1}.get(called.name, 0)
        known = all(isinstance(p, Function) or self.is_none(p) for p in positional)
        return Wrapper(called.name, positional) if known and 1 <= len(positional) <= most else None

    def make_class(self, positional, keywords):
        if self.kind == "function":
            return None
        body, name, *bases = positional
        title = name.payload if isinstance(name, Constant) else "?"
        if not isinstance(body, Function):
            self.leave("class", title, "its body is a closure, or made in a loop")
            return None
        code = body.code
        inner = Interpreter(self.rom, self.module, code, "class")
        inner.run()
        for value in inner.locals.values():
            wrapper = value.kind if isinstance(value, Wrapper) else ""
            for function in value.functions if wrapper else [value]:
                if isinstance(function, Function):
                    self.rom.methods[function.code] = (code, wrapper)
        why = inner.why
        base = None
        if keywords or len(bases) > 1:
            why = why or "it has %d bases" % len(bases)
        elif bases:
            base = bases[0]
            if isinstance(base, Class):
                self.rom.parents[code] = base.code
            elif not (isinstance(base, Named) and base.name in _BUILTINS):
                why = why or "its base is not in ROM"
        if code in self.rom.written:
            why = why or self.rom.written[code]
        if why:
            self.leave("class", title, why)
            return None
        found = Class(self.module, code, name, base, inner.locals, self.place())
        self.module.classes.append(found)
        return found

    # Imports

    def IMPORT_NAME(self, arg, _):
        level, from_list = self.pops(2)
        if not isinstance(level, Constant):
            self.push(None)
            return
        leaf = not self.is_none(from_list)
        self.push(self.rom.imported(self.module, self.qstr(arg), level.payload, leaf))

    def IMPORT_FROM(self, arg, _):
        module = self.stack[-1] if self.stack else None
        name = self.qstr(arg)
        found = self.rom.attribute(module, name)
        if isinstance(found, Module):
            self.rom.body_of(found)
        self.push(found)

    def IMPORT_STAR(self, *_):
        module = self.pop()
        if self.kind != "module":
            return
        if not self.certain or not isinstance(module, Module) or module.state != "done":
            self.leave("global", "*", "names that nobody knows")
            return
        if "__all__" in module.known:
            self.leave("global", "*", "__all__")
            return
        for name, value in in_rom(module).items():
            if not name.startswith("_"):
                self.store_global(name, value)

    def MAKE_CLOSURE(self, arg, extra):
        self.leave_closure(arg)
        self.pops(extra or 0)
        self.push(None)

    def MAKE_CLOSURE_DEFARGS(self, arg, extra):
        self.leave_closure(arg)
        self.pops((extra or 0) + 2)
        self.push(None)

    def leave_closure(self, arg):
        if self.kind != "function":
            self.leave("function", self.code.children[arg].simple_name.str, "a closure")
