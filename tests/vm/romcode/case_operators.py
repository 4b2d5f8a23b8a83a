"""Special methods: attributes, calls, items, iteration, comparison, arithmetic, context."""


class Attributes:
    known = 1

    def __init__(self):
        self.log = []

    def __getattr__(self, name):
        if name[:2] == "__" or name == "absent":
            raise AttributeError(name)
        return "made " + name


class Guarded:
    def __setattr__(self, name, value):
        if name == "locked":
            raise AttributeError(name)
        object.__setattr__(self, name, value * 2)

    def __delattr__(self, name):
        print("delete", name)
        object.__delattr__(self, name)


class Money:
    currency = "EUR"

    def __init__(self, cents=0):
        self.cents = cents

    def __add__(self, other):
        return Money(self.cents + (other.cents if isinstance(other, Money) else other))

    __radd__ = __add__

    def __iadd__(self, other):
        self.cents += other
        return self

    def __sub__(self, other):
        return Money(self.cents - other.cents)

    def __mul__(self, times):
        return Money(self.cents * times)

    def __floordiv__(self, parts):
        return Money(self.cents // parts)

    def __mod__(self, parts):
        return self.cents % parts

    def __neg__(self):
        return Money(-self.cents)

    def __invert__(self):
        return "inverted"

    def __lshift__(self, bits):
        return self.cents << bits

    def __eq__(self, other):
        return isinstance(other, Money) and self.cents == other.cents

    def __lt__(self, other):
        return self.cents < other.cents

    def __gt__(self, other):
        return self.cents > other.cents

    def __le__(self, other):
        return self.cents <= other.cents

    def __hash__(self):
        return hash(self.cents)

    def __bool__(self):
        return self.cents != 0

    def __repr__(self):
        return "Money(%d)" % self.cents

    def __str__(self):
        return "%d %s" % (self.cents, self.currency)

    def __int__(self):
        return self.cents


class Row:
    def __init__(self, *values):
        self.values = list(values)

    def __len__(self):
        return len(self.values)

    def __getitem__(self, index):
        return self.values[index]

    def __setitem__(self, index, value):
        self.values[index] = value

    def __delitem__(self, index):
        del self.values[index]

    def __contains__(self, value):
        return value in self.values

    def __iter__(self):
        return iter(self.values)

    def __call__(self, *arguments, sep="-"):
        return sep.join(str(value) for value in self.values + list(arguments))


class Countdown:
    def __init__(self, start):
        self.left = start

    def __iter__(self):
        return self

    def __next__(self):
        if not self.left:
            raise StopIteration
        self.left -= 1
        return self.left


class Reversed:
    def __rsub__(self, other):
        return "rsub", other

    def __rmul__(self, other):
        return "rmul", other


class Context:
    def __enter__(self):
        return "entered"

    def __exit__(self, *details):
        print("left", details[0] is None)


thing = Attributes()
print(thing.known, thing.other, hasattr(thing, "absent"), thing.log, getattr(thing, "absent", 0))
thing.other = "own"
print(thing.other)
guarded = Guarded()
guarded.size = 4
print(guarded.size)
del guarded.size
print(hasattr(guarded, "size"))
try:
    guarded.locked = 1
except AttributeError as problem:
    print("AttributeError", problem.args)
a, b = Money(100), Money(30)
print(a + b, a + 1, 5 + a, a - b, a * 3, a // 3, a % 7, -a, ~a, b << 1)
print(
    sum([a, b]), sorted([a, b]), max(a, b), a == Money(100), a == 100, a != b, a < b, a <= a, a > b
)
print(len({a, b, Money(100)}), bool(Money()), bool(a), int(a), repr(a), "%s" % a)
a += 5
print(a, {a: 1}[Money(105)])
row = Row(1, 2, 3)
print(len(row), row[0], row[-1], 2 in row, 9 in row, list(row), row(), row(4, sep="+"), row[1:])
row[0] = 10
del row[1]
print(list(row), [value for value in row], bool(Row()), bool(row))
print(list(Countdown(3)), 1 - Reversed(), 2 * Reversed())
with Context() as entered:
    print(entered)
Money.__str__ = lambda self: "patched"
print(str(a))
