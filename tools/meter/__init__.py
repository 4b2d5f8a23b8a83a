"""Begin a reader: write what a new meter needs, from working templates.

    problem("demo")            # why a meter cannot have this name, or ""
    for path in write("demo"): …

The templates are a whole meter with an invented protocol: codec, reader, simulator, tests, a page.
They are text in which the word `newmeter` stands for its name; tests/integration/test_meter.py
tries what comes out.
"""

import importlib.util
import keyword
import re
import sys
from pathlib import Path

from tools import ROOT
from tools.images import features

FILES = {
    "codec": "lib/{}/__init__.py",
    "codec_readme": "lib/{}/README.md",
    "reader": "firmware/joulelog/readers/{}.py",
    "sim": "tools/sim/{}.py",
    "test": "tests/unit/test_{}.py",
    "page": "docs/{}.md",
    "config": "examples/configs/{}.py",
}
REGISTRY = ROOT / "firmware/joulelog/registry.py"
_TEMPLATES = Path(__file__).parent / "template"
_WORD = "newmeter"
_FORM = re.compile(r"[a-z][a-z0-9_]{1,15}")
# Modules that a board has, or may have, and that a package in lib/ would hide from it.
_MICROPYTHON = (
    "apa106 bluetooth btree cryptolib deflate dht ds18x20 esp esp32 espnow flashbdev"
    " framebuf inisetup lwip machine micropython mip mqtt_as neopixel network ntptime"
    " onewire requests rp2 senml tls ucollections uctypes umqtt urequests upip vfs webrepl"
    " websocket"
)
_OURS = ("board", "config", "joulelog", "main", "tests", "tools")


def texts(name: str) -> dict[Path, str]:
    """The files of a meter of this name."""
    found = {}
    for template, place in FILES.items():
        text = (_TEMPLATES / f"{template}.txt").read_text()
        found[ROOT / place.format(name)] = text.replace(_WORD, name)
    return found


def problem(name: str) -> str:
    """Why a meter cannot have this name, and what is allowed; "" where it can."""
    if not _FORM.fullmatch(name):
        return (
            "a name has 2 to 16 of a to z, 0 to 9 and _, and begins with a letter: NAME=my_meter"
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        return "that is a word of Python"
    if name in sys.stdlib_module_names or name in _MICROPYTHON.split() or name in _OURS:
        return "a module of that name is there already, which lib/%s would hide" % name
    if name in features.TABLE:
        return "there is a reader, sink or something else of that name already"
    taken = [str(path.relative_to(ROOT)) for path in texts(name) if path.exists()]
    if taken:
        return "%s is there already" % ", ".join(taken)
    if (ROOT / "lib" / name).exists() or importlib.util.find_spec(name):
        return "a package of that name is there already, which lib/%s would hide" % name
    template = "".join((_TEMPLATES / f"{one}.txt").read_text() for one in FILES)
    if name == _WORD or re.search(r"\b%s\b" % name, template):
        return "the template itself uses that word: add to it, such as %s_meter" % name[:10]
    return ""


def registered(source: str, name: str) -> str:
    """The registry's source with a line for the reader, behind the others."""
    start = source.index("READERS = (\n")
    end = source.index("\n)\n", start) + 1
    return source[:end] + f'    ("{name}", "joulelog.readers.{name}"),\n' + source[end:]


def write(name: str) -> list[Path]:
    """Write them all; the files that are new or changed."""
    found = texts(name)
    for path, text in found.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    REGISTRY.write_text(registered(REGISTRY.read_text(), name))
    return [*found, REGISTRY]
