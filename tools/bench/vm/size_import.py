"""Print the heap that the modules of a config take, those that are loaded while it runs included.

size_import.py CONFIG          prints "IMPORT bytes"
"""

import gc
import sys


def main(path: str) -> None:
    import config_file
    import machine  # noqa: F401 - C code on a chip: not counted
    import network  # noqa: F401

    config = config_file.load(path, ())
    del config_file, sys.modules["config_file"]  # no part of what is measured
    gc.collect()
    before = gc.mem_alloc()
    from joulelog import build, registry, start  # noqa: F401 - start stays

    build.load(config, None)  # no board, no services
    del build
    registry.drop("joulelog.build")  # as start.run() does
    import mqtt_as  # noqa: F401

    from joulelog.net import mqtt_client  # noqa: F401
    from joulelog.sinks import mqtt_json  # noqa: F401

    gc.collect()
    print("IMPORT", gc.mem_alloc() - before)


main(sys.argv[1])
