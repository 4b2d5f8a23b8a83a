"""Tell what the VM was started with. For tests/integration/test_host_tools.py."""

import gc
import sys

import exact
import machine

gc.collect()
print(__name__, sys.argv[1:], exact.__file__, machine.__file__)
print(gc.mem_alloc() + gc.mem_free(), gc.mem_alloc())
sys.exit(7)
