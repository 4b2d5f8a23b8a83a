"""Tests that need a program or a package that not every machine has.

    MOSQUITTO = tiers.require("mosquitto", "servers", "apt install mosquitto")    # in a fixture
    tiers.require("cryptography", "host", "pip install cryptography")

The test is skipped with a reason that starts with "left out: " and says what would enable it.
With JOULELOG_REQUIRE_ALL=1 (`make test ALL=1`) it fails instead; a tier that no registry
provides, such as "deps", only where a variable says that it is there, and "micropython" also
where `make deps` has fetched it. conftest.py sums up at the end what was left out.
"""

import importlib.util
import os
import shutil

import pytest

from tools.host import deps

# Distributions keep servers where an ordinary user's PATH does not look.
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])

# Tiers that no package registry can provide, and the variable that says that they are there.
_BY_HAND = {
    "deps": "DEPS_FROM",
    "micropython": "MICROPYTHON",
    "esp8266": "ESP_SDK",
    "data": "JOULELOG_DATA",
}


def require(name: str, tier: str, how: str) -> str:
    """Return the path of a program, or the name of an importable module; skip or fail without."""
    path = shutil.which(name, path=_PATH)
    if path:
        return path
    if name.isidentifier() and importlib.util.find_spec(name):
        return name
    return missing(name, tier, how)


def missing(name: str, tier: str, how: str):
    """Skip the running test, or fail it with JOULELOG_REQUIRE_ALL=1; never returns."""
    reason = "left out: tier %s needs %s (%s)" % (tier, name, how)
    required = os.environ.get("JOULELOG_REQUIRE_ALL") == "1"
    if tier in _BY_HAND:
        there = os.environ.get(_BY_HAND[tier]) or (tier == "micropython" and deps.micropython())
        required = required and bool(there)
    if required:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
