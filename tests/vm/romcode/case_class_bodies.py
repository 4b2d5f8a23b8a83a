"""Class bodies that compute, loop, branch, import and call; classes in classes and functions."""

FLAG = True
BASE = (1, 2)


def helper(value):
    return value * 2


class Computed:
    first = 1 + 2
    second = first * 10
    both = BASE + (3,)
    called = helper(4)
    text = "a" + "b"
    listed = [1, 2]
    table = {"a": 1}
    comprehension = [n * n for n in range(3)]
    shared = set()
    first = first + 1

    def method(self, value=second, more=both):
        return value, more


class Branching:
    if FLAG:
        kind = "flag"

        def method(self):
            return "yes"
    else:
        kind = "none"

        def method(self):
            return "no"

    for number in range(3):
        last = number
    try:
        raising = BASE[5]
    except IndexError:
        raising = "caught"
    import sys as inside

    del number
    count = 0
    while count < 2:
        count += 1


class Outer:
    level = 1

    class Inner:
        level = 2

        class Innermost:
            level = 3

            def read(self):
                return self.level, Outer.level, Outer.Inner.level

        def read(self):
            return self.level

    alias = Inner

    def make(self):
        return self.Inner().read(), Outer.Inner.Innermost().read(), self.alias().read()


def make(level, step=1):
    class Local:
        kind = level

        def read(self):
            return self.kind, level + step

    return Local


def make_plain():
    class Local:
        kind = "constant"

        def read(self):
            return self.kind

    return Local


class Empty:
    pass


class Documented:
    """Its text."""

    def method(self):
        """The method's text."""
        return 1


class Twice:
    version = 1


first_twice = Twice


class Twice:
    version = 2

    def method(self):
        return 1

    def method(self):
        return 2


print(Computed.second, Computed.both, Computed.called, Computed.text, Computed.first)
print(Computed.comprehension, Computed().method(), Computed().method(1))
Computed.listed.append(3)
Computed.table["b"] = 2
Computed.shared.add(1)
print(Computed.listed, sorted(Computed.table), Computed().shared)
print(Branching.kind, Branching().method(), Branching.last, Branching.raising, Branching.count)
print(hasattr(Branching, "number"), Branching.inside.__name__)
print(Outer().make(), Outer.alias is Outer.Inner)
one, two = make(1), make(2, step=5)
print(one().read(), two().read(), one is two, one.__name__)
print(make_plain()().read(), make_plain() is make_plain())
one.kind = 9
print(one().read(), make(1)().read())
plain = make_plain()
plain.kind = "changed"
print(plain().read(), make_plain()().read())
Empty.filled = 1
print(Empty().filled, Documented().method())
print(first_twice.version, Twice.version, Twice().method(), first_twice is Twice)
classes = []
for number in range(3):

    class Looped:
        value = 5

        def read(self):
            return self.value

    classes.append(Looped)
classes[0].value = 6
print([kind().read() for kind in classes], len({id(kind) for kind in classes}))
