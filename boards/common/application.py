"""A manifest: the application with what it stands on, for a board and for tools/rig/frozen_vm."""

import json
import os

options.defaults(small=False, features=None)

if not os.environ.get("JOULELOG_DEPS"):
    raise ValueError("JOULELOG_DEPS is not set: JOULELOG_DEPS=$(python3 -m tools.host.deps path)")
with open("features.json") as _file:
    _table = json.load(_file)
_wanted = _table if options.features is None else options.features
_packages = {package for name in _table if name in _wanted for package in _table[name]["packages"]}

# micropython-lib's are those of the commit that the MicroPython checkout names.
require("logging")
if options.small:
    # All of extmod/asyncio but the module of its old name.
    _parts = ("__init__", "core", "event", "funcs", "lock", "stream")
    package("asyncio", [part + ".py" for part in _parts], base_path="$(MPY_DIR)/extmod", opt=3)
else:
    include("$(MPY_DIR)/extmod/asyncio")
if "aiohttp" in _packages:
    require("aiohttp")
if "webrepl" in _packages and options.small:  # else the port's manifest has it
    module("webrepl.py", base_path="$(MPY_LIB_DIR)/micropython/net/webrepl")
if "mqtt_as" in _packages:
    # It validates what a broker sends with assert: no optimisation that takes those away.
    package("mqtt_as", base_path=os.environ["JOULELOG_DEPS"], opt=0)
if "microdot" in _packages:
    module("microdot.py", base_path=os.environ["JOULELOG_DEPS"], opt=2)
# What web/ is built into, where there is Node to build it: without it set-up has plain forms.
if os.environ.get("JOULELOG_PAGE") and (options.features is None or "setup" in options.features):
    module("setup_page.py", base_path=os.environ["JOULELOG_PAGE"], opt=3)
# The public key that updates are signed with: without it an image takes none.
if os.environ.get("JOULELOG_KEY"):
    module("update_key.py", base_path=os.environ["JOULELOG_KEY"], opt=3)
include("../../firmware/manifest.py", features=options.features)
