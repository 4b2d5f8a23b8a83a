"""Print the heap that the modules of a config take, those that are loaded while it runs included.

size_import.py CONFIG          prints "IMPORT bytes"
"""

import gc
import sys


def main(path: str) -> None:
    import machine  # noqa: F401 - C code on a chip: not counted
    import network  # noqa: F401

    slash = path.rfind("/")
    sys.path.insert(0, path[:slash])
    config = __import__(path[slash + 1 : -3])
    gc.collect()
    before = gc.mem_alloc()
    from joulelog import start

    start.load(config)
    import mqtt_as  # noqa: F401

    from joulelog.net import mqtt_client  # noqa: F401
    from joulelog.sinks import mqtt_json  # noqa: F401

    gc.collect()
    print("IMPORT", gc.mem_alloc() - before)


main(sys.argv[1])
