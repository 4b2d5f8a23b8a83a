"""Find or install the MicroPython VM that tests and `make run VM=1` use. Standard library only.

    python3 -m tools.rig.vm path          print the command that starts the VM
    python3 -m tools.rig.vm ensure        install it if it is not there, then print the command
    python3 -m tools.rig.vm run -X heapsize=140k script.py

Looked for, in this order:
1. the environment variable JOULELOG_VM (a command line),
2. a `micropython` on PATH that is a 32-bit build, 1.24 or newer,
3. Debian trixie's i386 package in the cache folder (JOULELOG_CACHE, or ~/.cache/joulelog), started
   with its own libc. `ensure` fetches it with apt-get from the Debian mirror of this machine's
   configuration and unpacks it; nothing is installed on the machine and no root is needed.

Exit status 3: the VM cannot be had here (the text says why).
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.host.cache import Unavailable, cache

_PACKAGES = (
    "micropython",
    "libc6",
    "libffi8",
    "libgcc-s1",
    "libmbedcrypto16",
    "libmbedtls21",
    "libmbedx509-7",
)
_SUITE = "trixie"
_ARCHITECTURE = "i386"
# A 64-bit VM has cells of twice the size: its heap figures would say nothing about a chip.
_PROBE = (
    "import sys;v=sys.implementation.version;print(v[0]*100+v[1]>=124 and sys.maxsize==0x7fffffff)"
)
_DEBIAN_RELEASES = ("bullseye", "bookworm", "trixie", "forky", "sid", "stable", "oldstable")
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def path() -> list[str] | None:
    """The command that starts the VM, or None when there is none yet."""
    chosen = os.environ.get("JOULELOG_VM")
    if chosen:
        command = shlex.split(chosen)
        if not _works(command):
            raise Unavailable(
                f"JOULELOG_VM={chosen!r} is no 32-bit MicroPython 1.24 or newer;"
                " unset it to let this tool find one."
            )
        return command
    for command in ([shutil.which("micropython") or ""], _unpacked(cache() / "vm")):
        if _works(command):
            return command
    return None


def ensure() -> list[str]:
    """The command that starts the VM; installs it when there is none. Raises Unavailable."""
    command = path()
    if command:
        return command
    _install()
    command = _unpacked(cache() / "vm")
    if not _works(command):
        raise Unavailable(
            "The i386 MicroPython was unpacked but does not start: this machine's kernel or CPU"
            f" runs no 32-bit x86 programs. Tried: {shlex.join(command)}"
        )
    return command


def _works(command: list[str]) -> bool:
    if not command or not shutil.which(command[0]):
        return False
    try:
        done = subprocess.run(
            [*command, "-c", _PROBE], capture_output=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.strip() == b"True"


def _unpacked(root: Path) -> list[str]:
    libraries = root / "usr/lib/i386-linux-gnu"
    loader = libraries / "ld-linux.so.2"
    return [str(loader), "--library-path", str(libraries), str(root / "usr/bin/micropython")]


def _debian_mirror() -> tuple[str, str]:
    """(URI, keyring) of the Debian archive in this machine's apt configuration."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise Unavailable(
            "No apt-get and dpkg here: on this system, install a 32-bit MicroPython 1.24 or newer"
            " yourself and name it in JOULELOG_VM."
        )
    fields = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
    listing = _run(["apt-get", "indextargets", "--format", fields, "Created-By: Packages"])
    for line in listing.splitlines():
        uri, release, component = (line.split() + ["", "", ""])[:3]
        if release in _DEBIAN_RELEASES and component == "main":
            if not Path(_KEYRING).exists():
                raise Unavailable(f"{_KEYRING} is missing: apt-get install debian-archive-keyring")
            return uri, _KEYRING
    raise Unavailable(
        "apt on this machine knows no Debian mirror: add one to /etc/apt/sources.list.d, or name"
        " a 32-bit MicroPython 1.24 or newer in JOULELOG_VM."
    )


def _install() -> None:
    uri, keyring = _debian_mirror()
    cache().mkdir(parents=True, exist_ok=True)
    # A folder of our own, so that two test runs that install at once do not meet.
    work = Path(tempfile.mkdtemp(prefix="vm-", dir=cache()))
    try:
        _fetch(work, uri, keyring)
        shutil.rmtree(cache() / "vm", ignore_errors=True)
        (work / "vm").rename(cache() / "vm")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _fetch(apt: Path, uri: str, keyring: str) -> None:
    """Download the packages with apt's own checks, and unpack them into apt/vm."""
    for folder in ("lists/partial", "archives/partial", "packages"):
        (apt / folder).mkdir(parents=True)
    (apt / "status").touch()
    (apt / "sources.list").write_text(
        f"deb [arch={_ARCHITECTURE} signed-by={keyring}] {uri} {_SUITE} main\n"
    )
    # Lists, status and cache of its own: the machine's apt is neither read nor changed, only its
    # proxy, certificate and login settings (/etc/apt/apt.conf.d, auth.conf.d) are used.
    options = {
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": apt / "lists",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt,
        "APT::Architecture": _ARCHITECTURE,
        "APT::Architectures": _ARCHITECTURE,
        "APT::Sandbox::User": "root",
        "APT::Update::Error-Mode": "any",
    }
    apt_get = ["apt-get", "-q"]
    for key, value in options.items():
        apt_get += ["-o", f"{key}={value}"]
    _run([*apt_get, "update"])
    _run([*apt_get, "download", *_PACKAGES], cwd=apt / "packages")
    for package in sorted((apt / "packages").glob("*.deb")):
        _run(["dpkg-deb", "-x", str(package), str(apt / "vm")])


def _run(command: list[str], cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise Unavailable(f"{command[0]} {command[-1]} failed: " + " / ".join(lines))
    return done.stdout


def main(arguments: list[str]) -> int:
    action = arguments[0] if arguments else ""
    if action not in ("path", "ensure", "run"):
        print((__doc__ or "").split("\n\n")[1])
        return 2
    try:
        command = ensure() if action != "path" else path()
    except Unavailable as problem:
        print(f"vm: {problem}", file=sys.stderr)
        return 3
    if command is None:
        print("vm: not installed; run: python3 -m tools.rig.vm ensure", file=sys.stderr)
        return 3
    if action == "run":
        os.execv(shutil.which(command[0]) or command[0], command + arguments[1:])
    print(shlex.join(command))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
