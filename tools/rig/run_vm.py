"""Run a script on the MicroPython VM in the heap and from the kind of image of a profile.

    python3 -m tools.rig.run_vm --profile esp8266 script.py arguments...
    python3 -m tools.rig.run_vm --profile esp32 --heap 200k firmware/main.py

    esp8266       68k of heap, everything from a ROMFS image: for work on the firmware
    esp32        140k of heap, everything from a ROMFS image
    esp32-files  140k of heap, everything from .mpy files

Builds what has changed first. The script is compiled beforehand, so that it costs little heap; its
own folder is on the import path, behind the image. Packages are those of deps.py when they are
installed; --deps FOLDER names others, --deps "" leaves them out.

Exit status: the script's own; 3 when the VM or a tool to build with cannot be had here.

From a test: subprocess.run(run_vm.command("tests/vm/scripts/x.py", ["argument"], "esp32")).
"""

import argparse
import hashlib
import os
import sys
from pathlib import Path

from tools.host import deps as deps_module
from tools.rig import romfs, vm

# name -> (heap, packed into an image)
PROFILES = {
    "esp8266": ("68k", True),  # see "The heap of an ESP8266" in README.md
    "esp32": ("140k", True),
    "esp32-files": ("140k", False),
}

# Nothing of the boot code stays in the heap. The fourth argument of __import__ makes the VM run
# the module as __main__.
_START = (
    "import sys,gc;sys.path[:]=%r;sys.argv[:]=sys.argv[1:];"
    "import vm_boot;vm_boot=vm_boot.prepare();gc.collect();"
    "__import__(vm_boot,None,None,False)"
)


def command(
    script: str | Path,
    arguments: list[str] | tuple[str, ...] = (),
    profile: str = "esp32",
    heap: str | None = None,
    deps: Path | str | None = "installed",
    folders: tuple[Path, ...] = (),
) -> list[str]:
    """Build what the profile needs; return the command that runs the script on the VM.

    folders: more of them on the import path, behind the image and the script's own.

    Raises vm.Unavailable (no VM, no mpy-cross ...) and romfs.BuildError (does not compile).
    """
    default_heap, packed = PROFILES[profile]
    if deps == "installed":
        deps = deps_module.path()
    base = romfs.build(profile, Path(deps) if deps else None)
    script = Path(script).resolve()
    # In a folder named after its own: scripts of the same name in different places stay apart.
    key = hashlib.sha256(str(script.parent).encode()).hexdigest()[:8]
    compiled = base / "scripts" / key
    romfs.compile_file(script, compiled / f"{script.stem}.mpy", script.name, "-O0")
    path = [str(base / "boot"), str(script.parent), *map(str, folders), ".frozen"]
    return [
        *(*vm.ensure(), "-X", f"heapsize={heap or default_heap}", "-c", _START % path),
        *(str(base / "shims.romfs"), str(base / ("tree.romfs" if packed else "tree"))),
        *(str(compiled), script.stem, str(script), *arguments),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n\n")[0],
        epilog="profiles: " + ", ".join(f"{name} {heap}" for name, (heap, _) in PROFILES.items()),
    )
    parser.add_argument("--profile", choices=PROFILES, default="esp32")
    parser.add_argument("--heap", help="such as 140k or 2M; default: the profile's")
    parser.add_argument("--deps", default="installed", help='folder of packages, "" for none')
    parser.add_argument("script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    try:
        line = command(
            options.script, options.arguments, options.profile, options.heap, options.deps
        )
    except (vm.Unavailable, romfs.BuildError, OSError) as problem:
        print(f"run_vm: {problem}", file=sys.stderr)
        return 1 if isinstance(problem, romfs.BuildError) else 3
    os.execvp(line[0], line)


if __name__ == "__main__":
    sys.exit(main())
