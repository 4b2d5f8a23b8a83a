"""Holds objects that nothing but its globals and classes refer to."""

numbers = [n * 1000 for n in range(50)]
table = {str(n): [n, str(n) * 3] for n in range(50)}
later = None
closures = []


class Keeper:
    shared = []
    table = {}

    def keep(self, value):
        self.shared.append(value)
        self.table[len(self.shared)] = value


def fill():
    global later
    later = ["later" + str(n) for n in range(20)]
    for n in range(20):
        Keeper().keep("kept" + str(n))

        def closure(value=[n, str(n)]):
            return value

        closures.append(closure)
    Keeper.written = ["written" + str(n) for n in range(20)]
    globals()["through"] = ["through" + str(n) for n in range(20)]


def walk():
    for n in range(10):
        yield ["walk" + str(n)]


walking = walk()


def check():
    return (
        sum(numbers),
        sum(value[0] for value in table.values()),
        table["7"],
        later and later[-1],
        [function()[1] for function in closures][-2:],
        Keeper.shared[-1:],
        sorted(Keeper.table)[-1:],
        getattr(Keeper, "written", [None])[-1],
        globals().get("through", [None])[-1],
    )
