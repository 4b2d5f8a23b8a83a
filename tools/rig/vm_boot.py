"""Runs on the VM before the script: mount the images, set the path.

    sys.argv = [shims.romfs, image or tree, folder, module, script, arguments...]

An image is read into memory outside of the heap and mounted, so that bytecode runs in place, as
from ROMFS or frozen on a chip. run_vm.py then runs the module in the folder as __main__.
"""

import os
import sys


def mount(path: str, place: str) -> None:
    """Mount a ROMFS image, its bytes outside of the heap, and put it on the import path."""
    import ffi
    import uctypes
    import vfs

    size = os.stat(path)[6]
    address = ffi.open("libc.so.6").func("p", "malloc", "I")(size) & 0xFFFFFFFF
    if not address:
        raise MemoryError("no room for the image")
    memory = uctypes.bytearray_at(address, size)
    with open(path, "rb", buffering=0) as file:
        done = 0
        while done < size:
            count = file.readinto(memoryview(memory)[done:])
            if not count:
                raise OSError("the image became shorter while it was read")
            done += count
    vfs.mount(vfs.VfsRom(memory), place)
    sys.path.insert(0, place)


def prepare() -> str:
    """Mount what argv names, set path and argv for the script; return its module's name."""
    shims, code, folder, module = sys.argv[:4]
    sys.argv[:] = sys.argv[4:]
    sys.path.pop(0)  # the folder of this file
    mount(shims, "/shims")
    if code.endswith(".romfs"):
        mount(code, "/rom")
    else:
        sys.path.insert(0, code)
    sys.path.insert(0, folder)
    del sys.modules["vm_boot"]
    return module
