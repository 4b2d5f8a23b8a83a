"""Functions that raise and catch what other modules define."""

from part_shapes import NotFound, Refused


def refuse(why):
    raise Refused(why, retry=3)


def swallow(function):
    try:
        return function()
    except NotFound as problem:
        return "swallowed " + str(problem)
    finally:
        print("finally")


def translate(function):
    try:
        function()
    except KeyError as problem:
        raise NotFound("translated")
    else:
        return "else"
