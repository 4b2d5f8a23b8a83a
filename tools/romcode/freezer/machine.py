"""A symbolic MicroPython VM: its stack, its constants, and which instructions run for certain.

What it means to load a name, make a function and so on is in interpreter.py. Methods in capital
letters are instructions of the VM: `(argument, extra argument)`.
"""

from .values import Constant, Items, Keywords, Null, Value

# What instructions that mean nothing here do to the stack: (pops, pushes).
_EFFECTS = {
    "LOAD_FAST_N": (0, 1),
    "LOAD_DEREF": (0, 1),
    "LOAD_SUPER_METHOD": (3, 2),
    "LOAD_SUBSCR": (2, 1),
    "STORE_FAST_N": (1, 0),
    "STORE_DEREF": (1, 0),
    "STORE_SUBSCR": (3, 0),
    "DELETE_FAST": (0, 0),
    "DELETE_DEREF": (0, 0),
    "GET_ITER": (1, 1),
    "YIELD_VALUE": (1, 1),
    "YIELD_FROM": (2, 1),
}


def decode(tool, code):
    """Yield (offset, opcode, argument or target of a jump, extra, offset of the next)."""
    data = code.fun_data
    ip = code.offset_opcodes
    while ip < len(data):
        form, size, arg, extra = tool["mp_opcode_decode"](data, ip)
        following = ip + size
        if form == tool["MP_BC_FORMAT_OFFSET"]:
            arg += following
        yield ip, data[ip], arg, extra, following
        ip = following


class Machine:
    """Goes through one piece of bytecode, from top to bottom, once.

    certain: the instruction at work cannot be jumped over, and runs once.
    in_loop: it may run more than once.
    first: what is known of the first local variable.
    """

    first = None
    certain = True
    in_loop = False
    ip = 0

    def __init__(self, rom, module, code, kind):
        self.rom = rom
        self.tool = rom.tool
        self.op = rom.op
        self.module = module
        self.code = code
        self.kind = kind
        self.stack = []
        self.locals = {}  # a class's entries: name -> Value, or None
        self.why = ""  # a class's: why it is not a constant
        self.line = 0

    def run(self):
        """Interpret all of it."""
        instructions = list(decode(self.tool, self.code))
        targets, loops = self._jumps(instructions)
        may_skip_until = 0
        self.first = self.first_argument()
        for ip, opcode, arg, extra, following in instructions:
            if ip in targets:
                self.stack = []
            self.certain = ip >= may_skip_until and not any(a <= ip < b for a, b in loops)
            self.in_loop = any(a <= ip < b for a, b in loops)
            self.ip = ip
            self.step(opcode, arg, extra)
            if opcode in self.op.ALL_OFFSET:
                self.stack = []
                if self.kind == "class":
                    self.fail("its body branches")
                if arg > following:
                    may_skip_until = max(may_skip_until, arg)

    def _jumps(self, instructions):
        targets = set()
        loops = []
        for ip, opcode, arg, _, following in instructions:
            if opcode in self.op.ALL_OFFSET:
                targets.add(arg)
                if arg <= ip:
                    loops.append((arg, following))
        return targets, loops

    def place(self):
        """The line of the instruction at work."""
        return self.code.get_source_annotation(self.ip)["line"] or 0

    def where(self):
        return "%s:%d" % (self.module.path, self.place())

    def fail(self, why):
        """A class's body does what a constant cannot."""
        if not self.why:
            self.why = why
            self.line = self.place()

    def pop(self):
        return self.stack.pop() if self.stack else None

    def pops(self, n):
        found = [self.pop() for _ in range(n)]
        found.reverse()
        return found

    def push(self, value):
        self.stack.append(value)

    def qstr(self, arg):
        return self.code.qstr_table[arg].str

    def step(self, opcode, arg, extra):
        op = self.op
        if op.MP_BC_LOAD_CONST_SMALL_INT_MULTI <= opcode < op.MP_BC_LOAD_FAST_MULTI:
            excess = op.MP_BC_LOAD_CONST_SMALL_INT_MULTI_EXCESS
            self.push_int(opcode - op.MP_BC_LOAD_CONST_SMALL_INT_MULTI - excess)
        elif op.MP_BC_LOAD_FAST_MULTI <= opcode < op.MP_BC_STORE_FAST_MULTI:
            self.push(self.first if opcode == op.MP_BC_LOAD_FAST_MULTI else None)
        elif op.MP_BC_STORE_FAST_MULTI <= opcode < op.MP_BC_UNARY_OP_MULTI:
            self.pop()
            if opcode == op.MP_BC_STORE_FAST_MULTI:
                self.first = None
        elif op.MP_BC_UNARY_OP_MULTI <= opcode < op.MP_BC_BINARY_OP_MULTI:
            self.pops(1)
            self.push(None)
        elif opcode >= op.MP_BC_BINARY_OP_MULTI:
            number = opcode - op.MP_BC_BINARY_OP_MULTI
            self.binary(self.tool["mp_binary_op_method_name"][number], *self.pops(2))
        else:
            name = op.mapping[opcode]
            method = getattr(self, name, None)
            if method:
                method(arg, extra)
            elif name in _EFFECTS:
                pops, pushes = _EFFECTS[name]
                self.pops(pops)
                for _ in range(pushes):
                    self.push(None)
            else:
                self.stack = []
                if name not in ("RETURN_VALUE", "END_FINALLY", "POP_EXCEPT_JUMP"):
                    self.fail("its body does more than store constants")

    def binary(self, method, left, right):
        """Texts that are put together: the one thing that the compiler does not do itself."""
        texts = [v.payload if isinstance(v, Constant) else None for v in (left, right)]
        if method == "__add__" and all(isinstance(text, str) for text in texts):
            self.push(Constant(texts[0] + texts[1], None))
        else:
            self.push(None)

    # Constants

    def push_int(self, value):
        self.push(Constant(value, "MP_ROM_INT(%d)" % value))

    def LOAD_CONST_SMALL_INT(self, arg, _):
        self.push_int(arg)

    def LOAD_CONST_FALSE(self, *_):
        self.push(Constant(False, "MP_ROM_FALSE"))

    def LOAD_CONST_TRUE(self, *_):
        self.push(Constant(True, "MP_ROM_TRUE"))

    def LOAD_CONST_NONE(self, *_):
        self.push(Constant(None, "MP_ROM_NONE"))

    def LOAD_CONST_STRING(self, arg, _):
        q = self.code.qstr_table[arg]
        self.push(Constant(q.str, "MP_ROM_QSTR(%s)" % q.qstr_id))

    def LOAD_CONST_OBJ(self, arg, _):
        compiled = self.module.compiled
        self.push(Constant(compiled.obj_table[arg], lambda: compiled.rom_code_refs[arg]))

    def LOAD_NULL(self, *_):
        self.push(Null())

    def BUILD_TUPLE(self, arg, _):
        items = self.pops(arg)
        known = all(isinstance(item, Value) and not isinstance(item, Null) for item in items)
        self.push(Items(items) if known else None)

    def BUILD_MAP(self, *_):
        self.push(Keywords())

    def STORE_MAP(self, *_):
        found, value, key = self.pops(3)
        if (
            isinstance(found, Keywords)
            and isinstance(key, Constant)
            and isinstance(key.payload, str)
        ):
            found.entries[key] = value
            self.push(found)
        else:
            self.push(None)

    def is_none(self, value):
        return isinstance(value, Constant) and value.payload is None

    # The stack

    def DUP_TOP(self, *_):
        value = self.pop()
        self.stack += [value, value]

    def DUP_TOP_TWO(self, *_):
        a, b = self.pops(2)
        self.stack += [a, b, a, b]

    def POP_TOP(self, *_):
        self.pop()

    def ROT_TWO(self, *_):
        a, b = self.pops(2)
        self.stack += [b, a]

    def ROT_THREE(self, *_):
        a, b, c = self.pops(3)
        self.stack += [c, a, b]

    def UNPACK_SEQUENCE(self, arg, _):
        value = self.pop()
        items = (
            value.items if isinstance(value, Items) and len(value.items) == arg else [None] * arg
        )
        self.stack += reversed(items)

    def BUILD_LIST(self, arg, _):
        self.pops(arg)
        self.push(None)

    BUILD_SET = BUILD_SLICE = BUILD_LIST

    def CALL_METHOD(self, arg, _):
        n_positional, n_keywords = arg & 0xFF, arg >> 8 & 0xFF
        self.pops(2 * n_keywords + n_positional + 2)
        self.push(None)

    def CALL_FUNCTION_VAR_KW(self, arg, _):
        self.pops(2 * (arg >> 8 & 0xFF) + (arg & 0xFF) + 2)
        self.push(None)

    def CALL_METHOD_VAR_KW(self, arg, _):
        self.pops(2 * (arg >> 8 & 0xFF) + (arg & 0xFF) + 3)
        self.push(None)
