"""FRITZ!Boxes: a simulated one that another's client understands, and the reader by run.py."""

import re
from decimal import Decimal

import pyfritzhome
import pytest

from tests.integration.run_rig import ON_THE_VM, config
from tools.sim.fritz import METER, PLUG, Box

HOW = pytest.mark.parametrize("how", [[], ON_THE_VM[0]], ids=["cpython", "esp32"])
USER, PASSWORD = "log ger", "s3cr3t pä$$"
FIRST = "a first login takes minutes on a small chip"


@pytest.fixture
def box():
    """Start simulated boxes; all are closed after the test."""
    made: list[Box] = []

    def begin(grows: bool = False, port: int = 0, rounds=(2000, 200)) -> Box:
        made.append(Box(USER, PASSWORD, port, None if grows else lambda: 0))
        made[-1].rounds = rounds
        return made[-1]

    yield begin
    for one in made:
        one.close()


def entry(name: str, box: Box, ain: str, **more) -> dict:
    about = {"type": "fritz", "name": name, "host": "127.0.0.1", "port": box.port, "ain": ain}
    about |= {"user": USER, "password": PASSWORD, "interval": 1, "misses": 2, "timeout": 2}
    return about | more


def begin_run(start, tmp_path, how, *entries: dict):
    text = f"readers = {list(entries)!r}\nsinks = [{{'type': 'console'}}]"
    return start("--config", config(tmp_path, text), *how)


def shown(run, name: str) -> list[dict[str, str]]:
    """The readings of a meter that the console has printed: key -> text."""
    lines = re.findall(rf"^\S+Z {name} (.*)\n", run.output, re.MULTILINE)  # whole ones
    return [dict(re.findall(r"(\S+)=(\S+)", line)) for line in lines]


def silent(run) -> None:
    """No secret was printed, and nothing failed."""
    assert "s3cr3t" not in run.output and "s3cr" not in run.output
    assert "Traceback" not in run.output and "failed" not in run.output


@pytest.mark.parametrize("method", ["pbkdf2", "md5"])
def test_another_client_reads_the_simulated_one(box, method):
    simulated = box(rounds=(60000, 6000))
    simulated.method = method
    wrong = pyfritzhome.Fritzhome("127.0.0.1", USER, "other", simulated.port)
    with pytest.raises(pyfritzhome.LoginError):
        wrong.login()
    client = pyfritzhome.Fritzhome("127.0.0.1", USER, PASSWORD, simulated.port)
    client.login()  # it waits for the BlockTime
    assert client.update_devices()
    plug = client.get_device_by_ain(PLUG)
    assert (plug.present, plug.power, plug.energy, plug.voltage) == (True, 47110, 1234567, 230120)
    assert plug.temperature == 21.5
    assert client.get_device_by_ain(METER + "-2").energy == 653065
    client.logout()
    assert (simulated.logins, simulated.refusals) == (1, 1)


@HOW
@pytest.mark.parametrize("method", ["pbkdf2", "md5"])
def test_values_digit_for_digit(start, tmp_path, how, box, method):
    """Four entries of a box: one session, and one request for all of them."""
    simulated = box()
    simulated.method = method
    names = ("washer", "house", "bought", "sold")
    ains = (PLUG.replace(" ", ""), METER, METER + "-1", METER + "-2")
    entries = [entry(name, simulated, ain) for name, ain in zip(names, ains, strict=True)]
    run = begin_run(start, tmp_path, how, *entries)
    for name in names:
        run.wait_for(rf"Z {name} ", count=4)
    assert simulated.logins == 1
    assert simulated.lists <= len(shown(run, "sold")) + 2, "one request for all"
    wanted = {
        "washer": "power=47.110 energy_import=1234.567 voltage=230.120 temperature=21.5",
        "house": "power=-71.000 energy_import=16933.817 energy_export=653.065",
        "bought": "power=-71.000 energy_import=16933.817",
        "sold": "power_export=71.000 energy_export=653.065",
    }
    for name, text in wanted.items():
        assert shown(run, name)[0] == dict(one.split("=") for one in text.split()), name
    silent(run)
    assert run.interrupt() == 0


@HOW
def test_the_first_hash_is_made_once(start, tmp_path, how, box):
    simulated = box(rounds=(60000, 6000))
    one = entry("washer", simulated, PLUG)
    for begin in range(2):
        run = begin_run(start, tmp_path, how, one)
        run.wait_for("Z washer ", count=2)
        assert run.output.count(FIRST) == (0 if begin else 1)
        assert run.interrupt() == 0
        silent(run)
    simulated.password = one["password"] = PASSWORD + "2"
    run = begin_run(start, tmp_path, how, one)
    run.wait_for("Z washer ", count=2)
    assert run.output.count(FIRST) == 1, "another password has another hash"
    assert simulated.refusals == 0


@HOW
def test_a_session_that_the_box_forgets(start, tmp_path, how, box):
    simulated = box(grows=True)
    run = begin_run(start, tmp_path, how, entry("washer", simulated, PLUG))
    run.wait_for("Z washer ", count=2)
    for logins in (2, 3):
        simulated.forget()
        run.wait_for("Z washer ", count=len(shown(run, "washer")) + 2)
        assert simulated.logins == logins
    energies = [Decimal(found["energy_import"]) for found in shown(run, "washer")]
    assert energies == sorted(energies), run.output[-2000:]
    assert run.output.count(FIRST) == 1
    silent(run)
    assert run.interrupt() == 0


@HOW
def test_a_wrong_password_waits(start, tmp_path, how, box):
    """One try, then none before the box's BlockTime is over, nor within a minute."""
    simulated = box()
    one = entry("washer", simulated, PLUG, password="wr0ng-one")
    run = start(
        *("--config", config(tmp_path, f"readers = {[one]!r}\nsinks = [{{'type': 'console'}}]")),
        *how,
        SPEED="10",
    )
    said = f"{PLUG} at 127.0.0.1: it wants another `user` or `password`"
    run.wait_for(re.escape(said))
    run.wait_for("127.0.0.1: the next login in 60 s")
    assert simulated.refusals == 1
    simulated.password = "wr0ng-one"  # somebody puts it right over there
    run.wait_for("Z washer power=", count=2)
    assert (simulated.refusals, simulated.logins) == (1, 1)
    assert run.output.count(said) == 1
    assert "wr0ng" not in run.output
    assert run.interrupt() == 0


@HOW
def test_a_box_that_blocks(start, tmp_path, how, box):
    """Another's wrong password blocks all: no answer is sent while it does."""
    simulated = box()
    wrong = pyfritzhome.Fritzhome("127.0.0.1", USER, "other", simulated.port)
    for _ in range(2):
        with pytest.raises(pyfritzhome.LoginError):
            wrong.login()
    run = begin_run(start, tmp_path, how, entry("washer", simulated, PLUG))
    run.wait_for("it takes no login for a while")
    assert simulated.refusals == 2
    silent(run)
    assert run.interrupt() == 0


@HOW
def test_rights_presence_and_names(start, tmp_path, how, box):
    simulated = box()
    entries = [entry("washer", simulated, PLUG), entry("none", simulated, "11657 0000009")]
    entries.append(entry("meter", simulated, METER))
    run = begin_run(start, tmp_path, how, *entries)
    run.wait_for("11657 0000009 at 127.0.0.1: the box lists no such device: is the `ain` right")
    run.wait_for("Z washer power=47.110", count=2)
    simulated.present = False
    run.wait_for(f"{PLUG} at 127.0.0.1: the box cannot reach it")
    run.wait_for("Z washer *[\r\n]")  # without any value
    before = len(shown(run, "meter"))
    run.wait_for("Z meter power=-71.000", count=before + 2)
    simulated.present = True
    seen = len(shown(run, "washer"))
    run.wait_for("Z washer ", count=seen + 2)
    assert shown(run, "washer")[-1]["energy_import"] == "1234.567"
    simulated.rights = False
    run.wait_for('its user lacks the right "Smart Home"', count=3)
    simulated.rights = True
    seen = len(shown(run, "washer"))
    run.wait_for("Z washer power=47.110", count=seen + 1)
    silent(run)
    assert run.interrupt() == 0


def test_host_sim(start, tmp_path):
    one = {"type": "fritz", "name": "washer", "host": "sim", "ain": "11657 1234567"}
    one |= {"user": USER, "password": PASSWORD, "interval": 1}
    run = begin_run(start, tmp_path, [], one)
    run.wait_for("Z washer power=", count=2)
    silent(run)


@pytest.mark.parametrize(
    "change, said",
    [
        ({"ain": "  "}, "`ain` is empty"),
        ({"ain": None}, "`ain`"),
        ({"host": "http://fritz.box"}, "`host`"),
        ({"interval": 0}, "`interval`"),
    ],
)
def test_what_the_check_finds(start, tmp_path, change, said):
    about = {"type": "fritz", "password": PASSWORD, "ain": PLUG, **change}
    run = begin_run(start, tmp_path, [], about)
    assert run.status() != 0
    assert said in run.output, run.output
    assert "s3cr3t" not in run.output
