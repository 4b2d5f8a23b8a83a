"""What the freezer knows of the values that a module's body handles: one class per kind.

Whatever is not known is None. What C can write has a `text()`, its initialiser.
"""

# What a slot of a module's map holds when it is not stored by the module's own body.
SUBMODULE = 0xFF
_MOST_ENTRIES = 250  # of a module: an order is one byte


class Value:
    """Something that is known while freezing."""


class Constant(Value):
    """A constant of the bytecode; `text` is how C writes it, as a str or a function that knows."""

    def __init__(self, payload, text):
        self.payload = payload
        self._text = text

    def text(self):
        """The initialiser in C."""
        return self._text() if callable(self._text) else self._text


class Named(Value):
    """A built-in, or a module in C: known by its name."""

    def __init__(self, name, text=None):
        self.name = name
        self._text = text

    def text(self):
        """The initialiser in C, or None: this one cannot be written."""
        return self._text


class Null(Value):
    """What LOAD_NULL pushes: no default arguments."""


class BuildClass(Value):
    """What LOAD_BUILD_CLASS pushes."""


class Items(Value):
    """A tuple that is made while the module runs."""

    def __init__(self, items):
        self.items = items

    def text(self):
        """Not of its own: Writer.tuple writes it."""
        return None


class Keywords(Value):
    """A dict of defaults of keyword-only arguments: name -> Value."""

    def __init__(self):
        self.entries = {}


class Function(Value):
    """A function in ROM."""

    def __init__(self, module, code, positional, keywords):
        self.module = module
        self.code = code
        self.positional = positional
        self.keywords = keywords
        self.symbol = "f_" + code.escaped_name

    def text(self):
        """The initialiser in C."""
        return "MP_ROM_PTR(&mp_rom_code_functions.%s)" % self.symbol

    def child_row(self):
        """Its row in the table of children of the code that makes it."""
        return "    (const mp_raw_code_t *)&mp_rom_code_functions.%s," % self.symbol


class Wrapper(Value):
    """property(f), staticmethod(f) or classmethod(f)."""

    def __init__(self, kind, functions):
        self.kind = kind
        self.functions = functions


class Class(Value):
    """A class in ROM."""

    def __init__(self, module, code, name, base, entries, place):
        self.module = module
        self.code = code
        self.name = name
        self.base = base
        self.entries = entries  # name -> Value, in order
        self.place = place
        self.symbol = "mp_rom_code_type_" + code.escaped_name

    def text(self):
        """The initialiser in C."""
        return "MP_ROM_PTR(&%s)" % self.symbol

    def has_accessors(self):
        """Whether its instances' attributes are not stored without a look at the class."""
        if isinstance(self.base, Class) and self.base.has_accessors():
            return True
        properties = [v for v in self.entries.values() if isinstance(v, Wrapper)]
        return any(v.kind == "property" for v in properties)


class InstanceOf(Value):
    """The first argument of a method: an instance of this class, or of one that is derived."""

    def __init__(self, code):
        self.code = code


class ClassOf(Value):
    """The class of such an instance: `self.__class__`, `type(self)`, `cls`."""

    def __init__(self, code):
        self.code = code


class Module(Value):
    """A frozen module, and what its globals are predicted to be."""

    def __init__(self, index, compiled):
        self.index = index
        self.compiled = compiled
        path = compiled.source_file.str
        name = path[:-3] if path.endswith(".py") else path
        self.is_package = name.endswith("/__init__")
        if self.is_package:
            name = name[: -len("/__init__")]
        self.name = name.replace("/", ".")
        self.path = path
        self.state = "new"
        self.reset()

    def reset(self):
        """Forget what was found."""
        self.state = "new"
        self.known = {}  # name -> Value: what the name is now, None where nobody knows
        self.entries = {}  # name -> Value: what goes into ROM, in order
        self.classes = []
        self.functions = []
        self.left = []  # (kind, name, place, why): what stays in RAM

    def text(self):
        """The initialiser in C."""
        return "MP_ROM_PTR(&mp_rom_code_modules[%d])" % self.index

    def package(self):
        """The name of the package that relative imports start from."""
        return self.name if self.is_package else self.name.rpartition(".")[0]


class Part(Constant):
    """One item of a constant tuple."""

    def __init__(self, whole, index):
        Constant.__init__(self, whole.payload[index], "part")
        self.whole = whole
        self.index = index


def all_codes(code):
    """Yield a piece of code and all that lie in it."""
    yield code
    for child in code.children:
        yield from all_codes(child)


def in_rom(module):
    """The entries of a module that C can write: name -> Value, in order."""
    known = {name: value for name, value in module.entries.items() if value is not None}
    return dict(list(known.items())[:_MOST_ENTRIES])


def is_bytecode(tool, code):
    """Whether it is bytecode, and not native code."""
    return code.code_kind == tool["MP_CODE_BYTECODE"]
