"""A config.py that Python cannot run: said in one line, as everything else that is wrong with it.

    except Exception as error:
        why = broken.tell(error)   # "config.py, line 12: NameError: name 'true' isn't defined"

What the settings file says may do without it. Loaded where it is needed only.
"""

import io
import sys


def line(error) -> str:
    """What a person has to know of it: the last place in a config, and what was said."""
    out = io.StringIO()
    sys.print_exception(error, out)  # type: ignore[attr-defined] - of MicroPython
    lines = out.getvalue().strip().split("\n")  # type: ignore[attr-defined]
    where = ""
    for text in lines:  # File "config.py", line 12, in <module>
        at = text.find(", line ")
        name = text[: at - 1].split('"')[-1].split("/")[-1] if at > 0 else ""
        if name[:6] == "config":
            where = "%s, line %s: " % (name, text[at + 7 :].split(",")[0])
    hint = ""
    for word, meant in (("true", "True"), ("false", "False"), ("null", "None")):
        if "'%s'" % word in lines[-1]:
            hint = "; did you mean %s?" % meant
    return where + lines[-1] + hint


def tell(error) -> str:
    """Print it, and return it."""
    text = "The config cannot work yet:\n  " + line(error)
    print(text)
    return text
