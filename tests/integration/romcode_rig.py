"""The same programs on a plain VM and on another one: what they print has to be the same.

    python -m tests.integration.romcode_rig ~/micropython            plain against patched
    python -m tests.integration.romcode_rig ~/micropython broken     against one that is different

    scripts  MicroPython's own tests, by its own runner: passed, failed or skipped, and what a
             failed one printed
    frozen   the same files frozen into the image, one process each, imported and as __main__
    cases    tests/vm/romcode, frozen, the same two ways
    python   those of the cases that are plain Python, on CPython and on the plain VM
    units    tests/unit with everything frozen: the application, its packages and the tests

What is not the same twice on the plain VM is left out, by name. Addresses are masked.
"""

import concurrent.futures
import contextlib
import difflib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.integration import romcode_vm
from tests.integration.romcode_vm import ROOT, frozen

CASES = ROOT / "tests/vm/romcode"
FOLDERS = ("basics", "import", "extmod")
JOBS = 2
TIMEOUT_S = 60
HEAP = "2M"
UNITS_HEAP = "4M"
UNITS_TIMEOUT_S = 900
_SLOW_UNITS = ("test_powercut", "test_powercut_fat")  # minutes
# Frozen as they are they would only say that a file is missing.
_READ_FILES = {"import/builtin_ext.py": "reads tests/import/ext as files"}
# Fewer than these were not run at all: a folder moved, or the image lacks them.
FEWEST = {"frozen": 1500, "scripts": 750}
# A test -> why its output may differ between the two programs.
EXCEPTIONS = {
    "mp_reload_identity": "a module in flash has one set of globals, an import again resets it",
}
# A file of unit tests -> why one of its tests fails in both programs.
FAILS_IN_BOTH = {
    "test_health": "test_the_largest_block fills the heap, and this build then has no 16 bytes",
}
_ADDRESS = re.compile(r"0x[0-9a-f]+|(?<=bound_method )[0-9a-f]+|(?<=at )[0-9a-f]{7,8}(?=>)")
_PORT = b"8000"  # several of MicroPython's tests bind it, and skip where it is taken
_IMPORTED = "import %s"
# It skips itself as a whole.
# Or of a computer's config files, whose shim no image has; test_runtimes runs these on the VM.
_COMPUTER_ONLY = re.compile(
    r'^if sys\.implementation\.name == "micropython":.*\n    raise unittest\.SkipTest'
    r"|^import config_file$",
    re.M,
)
_VERDICT = re.compile(r"^(?:ok |skip |FAIL |\d+ passed).*", re.M)  # of tests/vm/runner.py
_RUN_UNIT = (
    "import sys;sys.path[:]=['.frozen','.frozen/tests/fakes','.frozen/tests/fixtures/dlms'];"
    "import runner;sys.exit(runner.main(['.frozen/tests/unit/%s.py']))"
)


class Outcome(NamedTuple):
    """What a test did: a word or an exit status, and its output."""

    status: str
    output: str


Outcomes = dict[str, Outcome]


class Comparison(NamedTuple):
    """same: outcomes; differ: name -> diff; left_out: name -> reason."""

    same: Outcomes
    differ: dict[str, str]
    left_out: dict[str, str]

    def summary(self, name: str) -> str:
        """One line for a person, and the diffs."""
        counts: dict[str, int] = {}
        for outcome in self.same.values():
            counts[outcome.status] = counts.get(outcome.status, 0) + 1
        told = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        lines = [
            f"{name}: {len(self.same)} same ({told}), {len(self.differ)} differ,"
            f" {len(self.left_out)} left out"
        ]
        lines += [f"  left out: {test}: {why}" for test, why in sorted(self.left_out.items())]
        lines += [f"  differs: {test}\n{diff}" for test, diff in sorted(self.differ.items())]
        return "\n".join(lines)


class Rig:
    """Two programs of each image, and the four ways to compare them.

    every: of the unit tests' files each so manieth, without the slow ones; 1: all.
    """

    def __init__(self, checkout: Path, second: str, every: int = 1, first: str = "plain") -> None:
        self.checkout = checkout.expanduser().resolve()
        self.first = first
        self.second = second
        self.every = every
        self.not_frozen: dict[str, str] = {}
        self._programs: dict[tuple[str, str], Path] = {}

    def scripts(self) -> Comparison:
        """MicroPython's own tests from their files, by its own runner."""
        plain, other = self._upstream()

        def run(program: Path, names: list[str], jobs: int) -> Outcomes:
            return _runner(program, self.checkout, names, jobs)

        return compare(plain, other, run, [])

    def frozen(self) -> Comparison:
        """MicroPython's own tests, frozen."""
        plain, other = self._upstream()
        files = {place: path for place, path in self._own_tests().items() if "/" not in place}
        modules = [place.removesuffix(".py") for place in files]
        alone = {p.removesuffix(".py") for p, path in files.items() if _PORT in path.read_bytes()}

        def run(program: Path, names: list[str], jobs: int) -> Outcomes:
            apart = [name for name in names if name.partition(" ")[0] in alone]
            others = [name for name in names if name not in apart]
            return run_frozen(program, others, jobs) | run_frozen(program, apart, 1)

        result = compare(plain, other, run, modules)
        result.left_out.update(self.not_frozen)
        return result

    def cases(self) -> Comparison:
        """Our own cases, frozen."""
        return compare(*self.case_programs(), run_frozen, case_names())

    def case_programs(self) -> tuple[Path, Path]:
        """The two programs that have our own cases frozen."""
        return self._pair("cases", case_files())

    def python(self) -> Comparison:
        """Those of our cases that are plain Python, on CPython and on the plain VM."""
        names = [name for name in case_names() if name.startswith("case_")]
        plain = self._build("plain", "cases", case_files())

        def run(program: Path, names: list[str], jobs: int) -> Outcomes:
            return in_parallel(lambda name: imported(program, name), names, jobs)

        return compare(plain, Path(sys.executable), run, names)

    def units(self) -> Comparison:
        """The unit tests, with everything frozen."""
        plain, other = self._pair("units", _unit_files())
        return compare(plain, other, _units, unit_names(self.every))

    def _upstream(self) -> tuple[Path, Path]:
        return self._pair("upstream", self._own_tests())

    def _pair(self, manifest: str, files: dict[str, Path]) -> tuple[Path, Path]:
        return self._build(self.first, manifest, files), self._build(self.second, manifest, files)

    def _build(self, how: str, manifest: str, files: dict[str, Path]) -> Path:
        if (how, manifest) not in self._programs:
            self._programs[how, manifest] = romcode_vm.build(self.checkout, how, manifest, files)
        return self._programs[how, manifest]

    def _own_tests(self) -> dict[str, Path]:
        """Place in the image -> file: each test a module; tests/import under their own names."""
        tests = self.checkout / "tests"
        compiler = romcode_vm.mpy_cross(frozen.checked(self.checkout))
        files = {}
        for folder in FOLDERS:
            for path in sorted((tests / folder).rglob("*.py")):
                place = path.relative_to(tests / folder)
                name = f"{folder}/{place}"
                if name in _READ_FILES or place.parts[0] == "ext":
                    self.not_frozen[name] = _READ_FILES.get(name, "read as a file")
                elif not _compiles(compiler, path):
                    self.not_frozen[name] = "does not compile"
                elif folder == "import":
                    files[str(place)] = path
                else:
                    files[f"t_{folder}_{place.name}"] = path
        return files


def case_names() -> list[str]:
    """The modules of tests/vm/romcode that are run; the others are imported by these."""
    return sorted(path.stem for kind in ("case_*.py", "mp_*.py") for path in CASES.glob(kind))


def unit_names(every: int = 1) -> list[str]:
    """The files of unit tests, without those of a computer's tools; or some of the quick ones."""
    paths = (ROOT / "tests/unit").glob("test_*.py")
    names = sorted(path.stem for path in paths if not _COMPUTER_ONLY.search(path.read_text()))
    if every == 1:
        return names
    # By its name: a file that comes or goes changes nothing for the others.
    quick = [name for name in names if name not in _SLOW_UNITS]
    return [name for name in quick if zlib.crc32(name.encode()) % every == 0]


def case_files() -> dict[str, Path]:
    return {str(path.relative_to(CASES)): path for path in CASES.rglob("*.py")}


def compare(
    plain: Path,
    other: Path,
    run: Callable[[Path, list[str], int], Outcomes],
    names: list[str],
) -> Comparison:
    """Run on both; a difference counts unless the plain program has it with itself."""
    first, second = run(plain, names, JOBS), run(other, names, JOBS)
    result = Comparison({}, {}, {})
    suspects = [name for name in first if first[name] != second.get(name)]
    suspects += [name for name in second if name not in first]
    seen = [first]
    for _ in range(3 if suspects else 0):
        seen.append(run(plain, suspects, 1))
    for name, outcome in first.items():
        if name not in suspects:
            result.same[name] = outcome
    for name in suspects:
        outcomes = {again[name] for again in seen if name in again}
        if name.partition(" ")[0] in EXCEPTIONS:
            result.left_out[name] = EXCEPTIONS[name.partition(" ")[0]]
        elif len(outcomes) > 1:
            result.left_out[name] = "not the same twice on the plain VM"
        else:
            result.differ[name] = _diff(first.get(name), second.get(name))
    return result


def _diff(plain: Outcome | None, other: Outcome | None) -> str:
    def lines(outcome: Outcome | None) -> list[str]:
        return [outcome.status, *outcome.output.splitlines()] if outcome else ["not run"]

    found = difflib.unified_diff(lines(plain), lines(other), "plain", "other", "", "", 1, "")
    return "\n".join("    " + line for line in list(found)[2:40])


def _runner(program: Path, checkout: Path, names: list[str], jobs: int) -> Outcomes:
    """MicroPython's run-tests.py over the folders, or over some of their tests."""
    what = names or ["-d", *FOLDERS]
    variables = {**os.environ, "MICROPY_MICROPYTHON": str(program)}
    variables |= {"MICROPY_CPYTHON3": sys.executable, "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory(prefix="joulelog-romcode-") as folder:
        line = [sys.executable, "run-tests.py", "-j", str(jobs), "-r", folder, *what]
        done = outcome_of(line, checkout / "tests", variables, 1200)
        report = Path(folder) / "_results.json"
        if not report.exists():
            raise SystemExit("romcode: run-tests.py failed:\n" + done.output[-2000:])
        outcomes = {}
        for name, status, *_ in json.loads(report.read_text())["results"]:
            output = Path(folder) / name.replace("/", "_").replace(".py", ".py.out")
            text = output.read_text(errors="replace") if output.exists() else ""
            outcomes[name] = Outcome(status, _mask(text))
    return outcomes


def run_frozen(program: Path, names: list[str], jobs: int) -> Outcomes:
    """Each module imported by a process of its own, and as __main__ by another."""
    wanted = names + [name + " as __main__" for name in names if " " not in name]
    wanted = list(dict.fromkeys(wanted))
    return in_parallel(lambda name: imported(program, name), wanted, jobs)


def imported(program: Path, name: str) -> Outcome:
    """The module in a process of its own, or "module as __main__", in an empty folder."""
    module, _, how = name.partition(" ")
    what = ["-m", module] if how else ["-c", _IMPORTED % module]
    options = ["-BS"] if program == Path(sys.executable) else ["-X", f"heapsize={HEAP}"]
    variables = {**os.environ, "MICROPYPATH": ".frozen", "PYTHONPATH": str(CASES)}
    with tempfile.TemporaryDirectory(prefix="joulelog-romcode-") as folder:
        return outcome_of([str(program), *options, *what], Path(folder), variables)


def _units(program: Path, names: list[str], jobs: int) -> Outcomes:
    """Each file of unit tests in a process, in a copy of the repository's root."""

    def run(name: str) -> Outcome:
        line = [str(program), "-X", f"heapsize={UNITS_HEAP}", "-c", _RUN_UNIT % name]
        with _root() as folder:
            found = outcome_of(line, folder, dict(os.environ), UNITS_TIMEOUT_S)
        # What is logged beside it has times in it.
        return Outcome(found.status, "\n".join(_VERDICT.findall(found.output)))

    return in_parallel(run, names, jobs)


def _unit_files() -> dict[str, Path]:
    files = {"runner.py": ROOT / "tests/vm/runner.py"}
    for folder in ("unit", "fakes", "fixtures/dlms"):
        for path in (ROOT / "tests" / folder).glob("*.py"):
            if not _COMPUTER_ONLY.search(path.read_text()):
                files[str(path.relative_to(ROOT))] = path
    return files


@contextlib.contextmanager
def _root() -> Iterator[Path]:
    """A folder with the repository's files, and a build folder of its own."""
    with tempfile.TemporaryDirectory(prefix="joulelog-romcode-") as folder:
        for path in ROOT.iterdir():
            if path.name != "build":
                (Path(folder) / path.name).symlink_to(path)
        (Path(folder) / "build").mkdir()
        yield Path(folder)


def in_parallel(run: Callable[[str], Outcome], names: list[str], jobs: int) -> Outcomes:
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return dict(zip(names, pool.map(run, names)))


def outcome_of(line: list[str], cwd: Path, variables: dict, timeout_s: int = TIMEOUT_S) -> Outcome:
    try:
        done = subprocess.run(
            line,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=variables,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        return Outcome("timeout", _mask((late.output or b"").decode(errors="replace")))
    return Outcome(f"exit {done.returncode}", _mask(done.stdout.decode(errors="replace")))


def _mask(text: str) -> str:
    return _ADDRESS.sub("ADDRESS", text)


def _compiles(compiler: Path, path: Path) -> bool:
    line = [str(compiler), "-o", os.devnull, str(path)]
    return subprocess.run(line, capture_output=True, check=False).returncode == 0


def main() -> int:
    if not 2 <= len(sys.argv) <= 3:
        print((__doc__ or "").split("\n\n")[1])
        return 2
    rig = Rig(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "patched")
    differ = 0
    for name in ("python", "cases", "frozen", "scripts", "units"):
        start = time.monotonic()
        found = getattr(rig, name)()
        print(found.summary(name), f"  {time.monotonic() - start:.0f} s", sep="\n", flush=True)
        differ += len(found.differ)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
