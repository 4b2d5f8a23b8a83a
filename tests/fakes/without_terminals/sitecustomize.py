"""A computer without terminals, as Windows is: on PYTHONPATH, for a process and its children.

What is hidden is hidden from this repository: pyserial and asyncio have other code for Windows.
"""

import builtins
import os
import signal

HIDDEN = ("termios", "pty", "tty", "fcntl", "resource", "grp", "pwd", "readline", "syslog")
_ROOT = os.environ["JOULELOG_ROOT"]
_import = builtins.__import__


def _hiding(name, globals=None, locals=None, fromlist=(), level=0):
    file = str((globals or {}).get("__file__", ""))
    ours = file.startswith(_ROOT) and os.sep + ".venv" + os.sep not in file
    if ours and name.split(".")[0] in HIDDEN:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return _import(name, globals, locals, fromlist, level)


builtins.__import__ = _hiding
for _module, _names in (
    (os, "statvfs openpty readv geteuid getuid O_NOCTTY O_NONBLOCK"),
    (signal, "SIGHUP SIGUSR1 SIGALRM pthread_sigmask SIG_BLOCK SIG_UNBLOCK alarm pause"),
):
    for _name in _names.split():
        if hasattr(_module, _name):
            delattr(_module, _name)
