"""Print "SHIMS bytes": the heap that machine and network take here; on a chip they are C code."""

import gc

gc.collect()
before = gc.mem_alloc()
import machine  # noqa: E402, F401
import network  # noqa: E402, F401

gc.collect()
print("SHIMS", gc.mem_alloc() - before)
