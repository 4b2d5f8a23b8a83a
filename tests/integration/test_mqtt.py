"""The MQTT sink against a real mosquitto, on CPython (aiomqtt) and on the VM (mqtt_as)."""

import json
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from paho.mqtt import publish

from tests import tiers
from tests.servers import certs
from tests.servers.real_mosquitto import Mosquitto, Recorder, free_port
from tests.waiting import HANG_S
from tools import ROOT
from tools.host import deps
from tools.rig import run_vm, vm

SCRIPT = ROOT / "tests" / "vm" / "scripts" / "mqtt_vm.py"
PASSWORD = "tr0ub4dor&3"

both = pytest.mark.parametrize("runtime", ("cpython", "vm"))


class Job:
    """The script at work in a process of its own."""

    def __init__(self, runtime: str, folder: Path, **job) -> None:
        file = folder / "job.json"
        file.write_text(json.dumps(job))
        command = (
            _vm(file)
            if runtime == "vm"
            else [sys.executable, "-m", "tests.vm.scripts.mqtt_vm", str(file)]
        )
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
        )
        self.text = ""

    def wait_for(self, text: str) -> None:
        """Until this has been printed."""
        while text not in self.text:
            line = self.process.stdout.readline()
            assert line, self.text
            self.text += line

    def report(self) -> dict:
        """Wait for the end and return the report."""
        self.text += self.process.stdout.read()
        self.process.wait()
        assert self.process.returncode == 0, self.text
        # What a transport has to say when the loop is closed may come behind it.
        reports = [line for line in self.text.splitlines() if line.startswith("{")]
        assert reports, self.text
        return json.loads(reports[-1])


def _vm(file: Path) -> list[str]:
    if deps.path() is None:
        tiers.missing("mqtt_as on the VM", "deps", "make deps")
    try:
        return run_vm.command(SCRIPT, [str(file)], "esp32", "2M")  # room for 1,200 readings
    except vm.Unavailable as error:
        return tiers.missing("the MicroPython VM", "vm", str(error))


@pytest.fixture
def broker(tmp_path):
    tiers.require("mosquitto", "servers", "apt install mosquitto")
    made = Mosquitto(tmp_path / "mosquitto")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def locked_broker(tmp_path):
    tiers.require("mosquitto", "servers", "apt install mosquitto")
    made = Mosquitto(tmp_path / "mosquitto", {"logger": PASSWORD, "recorder": "r"})
    made.start()
    yield made
    made.stop()


def entry_for(port: int, **more) -> dict:
    return {"host": "127.0.0.1", "port": port, **more}


def objects(messages: list) -> list[tuple[str, str]]:
    """(id, text of the object) of all readings in state and backlog messages.

    What the broker kept comes once more with each subscription: that is no duplicate of ours.
    """
    found = []
    for topic, payload, kept in messages:
        if not kept and topic.endswith(("/state", "/backlog")):
            for text in re.findall(r'\{"id"[^{}]*\}', payload.decode()):
                found.append((json.loads(text)["id"], text))
    return found


def expected(i: int) -> str:
    """The object of reading i, digit for digit."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(946684800 + 848000000 + i))
    energy, total = _thousandths(45678123 + i), _thousandths(987654321012 + i)
    return (
        f'{{"id":"5f0c1a22-{i:x}","time":"{stamp}","energy":{energy},"total":{total},'
        f'"text":"no. \\"{i}\\""}}'
    )


def _thousandths(value: int) -> str:
    return f"{value // 1000}.{value % 1000:03d}"


@both
@pytest.mark.parametrize(
    "interval_ms, batch", ((5, 1024), (0, 256)), ids=("as they come", "a burst")
)
def test_all_arrive_over_two_restarts(runtime, interval_ms, batch, broker, tmp_path, capsys):
    """Readings are on their way at each of them, however slow the recorder is."""
    allowed = tmp_path / "allowed"
    allowed.write_text("400")
    with Recorder(broker.port) as recorder:
        job = Job(
            runtime,
            tmp_path,
            entry=entry_for(broker.port, batch=batch),
            count=1000,
            interval_ms=interval_ms,
            allowed=str(allowed),
            timeout_ms=HANG_S * 1000,
        )
        recorder.wait_for(lambda: len(objects(recorder.messages)) > 100)
        allowed.write_text("700")
        broker.restart()
        recorder.wait_for(lambda: len(objects(recorder.messages)) > 400)
        allowed.write_text("999")
        broker.restart()
        allowed.write_text("1000")
        report = job.report()
        assert report["sent"] == 1000, (report, job.text)
        recorder.wait_for(lambda: len({name for name, _ in objects(recorder.messages)}) >= 1000)
        time.sleep(0.3)
        found = objects(recorder.messages)
        repeated = len(objects(recorder.repeated))
    texts = dict(found)
    assert sorted(texts) == sorted(f"5f0c1a22-{i:x}" for i in range(1000))
    for i in range(1000):
        assert texts[f"5f0c1a22-{i:x}"] == expected(i)
    for name, text in found:
        assert texts[name] == text  # a duplicate is the same reading
    # Only what was on its way when the connection was lost. What the broker repeats to the
    # recorder, whose acknowledgements were cut off, is not ours: the slower it is, the more.
    assert len(found) - repeated - 1000 <= report["given_back"], report
    assert report["dropped"] == 0 and report["retried"] <= 16
    assert any(state.startswith("waiting") for state in report["states"])
    with capsys.disabled():
        print(f"\n{runtime}: {len(found) - repeated - 1000} twice, {repeated} by the broker,")
        print(f"{report['retried']} messages sent again, {report['given_back']} given back")


@both
def test_one_connection_makes_no_duplicates(runtime, broker, tmp_path, capsys):
    """And the speed, with one message on its way and with eight; each reading is a message."""
    speeds = {}
    pauses = {}
    with Recorder(broker.port) as recorder:
        for in_flight in (1, 8):
            del recorder.messages[:]
            entry = entry_for(broker.port, batch=256, in_flight=in_flight)
            job = Job(runtime, tmp_path, entry=entry, count=500, linger_s=0.2)
            report = job.report()
            recorder.wait_for(lambda: len(objects(recorder.messages)) >= 500)
            assert len(objects(recorder.messages)) == 500
            assert report["sent"] == 500 and report["retried"] == 0
            speeds[in_flight] = 500000 // report["ms"]
            pauses[in_flight] = report["pauses"]
    assert speeds[1] > 50
    if runtime == "vm":  # one by one each waits for the next look at the socket
        # Counted: a busy machine makes the work longer, which is the same in both, not the waits.
        assert pauses[1] > 2 * pauses[8]
    with capsys.disabled():
        print(f"\n{runtime}: {speeds[1]} messages/s one by one, {speeds[8]} with 8 on their way")
        print(f"{pauses[1]} pauses one by one, {pauses[8]} with 8")


@both
def test_values_of_now_only(runtime, broker, tmp_path):
    broker.stop()
    job = Job(
        runtime,
        tmp_path,
        entry=entry_for(broker.port, layout="topics"),
        count=10,
        linger_s=0.5,
    )
    time.sleep(1.5)  # all ten wait
    broker.start()
    report = job.report()
    with Recorder(broker.port) as recorder:
        recorder.wait_for(lambda: len(recorder.messages) >= 4)
        kept = {topic: payload for topic, payload, _ in recorder.messages}
    assert report["superseded"] == 9 and report["sent"] == 1 and report["dropped"] == 0
    assert kept == {
        "cellar/meter/energy": b"45678.132",
        "cellar/meter/total": b"987654321.021",
        "cellar/meter/text": b'no. "9"',
        "cellar/status": b"offline",
    }


@both
def test_emoncms_layout(runtime, broker, tmp_path):
    with Recorder(broker.port) as recorder:
        entry = entry_for(broker.port, layout="emoncms")
        report = Job(runtime, tmp_path, entry=entry, count=3, paced=True).report()
        recorder.wait_for(lambda: len(recorder.messages) == 6)
        values = list(recorder.messages)
    assert report["sent"] == 3
    assert values == [
        (f"emon/meter/{key}", _thousandths(first + i).encode(), False)
        for i in range(3)
        for key, first in (("energy", 45678123), ("total", 987654321012))
    ]
    with Recorder(broker.port, client_id="later") as later:
        publish.single("behind/all", "x", hostname="127.0.0.1", port=broker.port)
        later.wait_for(lambda: later.messages)
        assert [topic for topic, _, _ in later.messages] == ["behind/all"]


@both
@pytest.mark.parametrize("layout", ("json", "topics", "emoncms"))
def test_a_meter_that_falls_silent(runtime, layout, broker, tmp_path):
    """Who subscribes later finds no number, and learns that the meter does not answer."""
    with Recorder(broker.port) as recorder:
        entry = entry_for(broker.port, layout=layout, topic="cellar")
        job = Job(runtime, tmp_path, entry=entry, count=3, paced=True, silent=True)
        if layout == "emoncms":
            job.report()
        else:
            recorder.wait_for(lambda: recorder.last("cellar/meter/status") == b"silent")
            job.report()
            recorder.wait_for(lambda: recorder.last("cellar/status") == b"offline")
        came = list(recorder.messages)
    topics = [topic for topic, _, _ in came]
    if layout == "emoncms":
        assert set(topics) == {"cellar/meter/energy", "cellar/meter/total"}
        assert all(payload for _, payload, _ in came)
        return
    assert [payload for topic, payload, _ in came if topic == "cellar/meter/status"] == [
        b"online",
        b"silent",
    ]
    with Recorder(broker.port, client_id="later") as later:
        later.wait_for(lambda: later.last("cellar/meter/status"))
        later.wait_for(lambda: later.last("cellar/status"))
        kept = {topic: payload for topic, payload, retained in later.messages if retained}
    assert kept.pop("cellar/meter/status") == b"silent"
    assert kept.pop("cellar/status") == b"offline"
    if layout == "topics":
        assert kept == {}
        assert topics.count("cellar/meter/energy") == 4  # three values, and once none
        return
    state = json.loads(kept.pop("cellar/meter/state"))
    assert {key: state[key] for key in ("energy", "total", "text")} == dict.fromkeys(
        ("energy", "total", "text")
    )
    assert topics.count("cellar/meter/state") == 4 and kept == {}


@both
def test_a_broker_that_retains_nothing(runtime, tmp_path):
    tiers.require("mosquitto", "servers", "apt install mosquitto")
    with Mosquitto(tmp_path / "mosquitto", more=("retain_available false",)) as broker:
        with Recorder(broker.port) as recorder:
            entry = entry_for(broker.port, retain=False)
            report = Job(runtime, tmp_path, entry=entry, count=20).report()
            recorder.wait_for(lambda: len({name for name, _ in objects(recorder.messages)}) == 20)
            recorder.wait_for(lambda: recorder.last("cellar/status") == b"offline")
        assert report["sent"] == 20 and report["retried"] == 0
        entry = entry_for(broker.port)
        report = Job(runtime, tmp_path, entry=entry, count=5, until="waiting").report()
        assert report["sent"] == 0 and report["waiting"] == 5
        assert "`retain`" in report["states"][-1], report


@both
def test_a_message_that_the_broker_does_not_allow(runtime, tmp_path):
    tiers.require("mosquitto", "servers", "apt install mosquitto")
    with Mosquitto(tmp_path / "mosquitto", more=("max_packet_size 400",)) as broker:
        with Recorder(broker.port) as recorder:
            entry = entry_for(broker.port, backfill="in_order")
            report = Job(runtime, tmp_path, entry=entry, count=60, speed=20).report()
            recorder.wait_for(lambda: len({name for name, _ in objects(recorder.messages)}) == 60)
        assert report["sent"] == 60 and report["set_aside"] == report["dropped"] == 0
        assert any("bytes; does the broker allow" in state for state in report["states"]), report
        assert dict(objects(recorder.messages))["5f0c1a22-7"] == expected(7)


@both
def test_two_clients_with_one_id(runtime, broker, tmp_path):
    jobs = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        entry = entry_for(broker.port, client_id="logger", topic=name)
        jobs.append(
            Job(
                runtime,
                tmp_path / name,
                entry=entry,
                count=100000,
                interval_ms=20,
                timeout_ms=900000,
                speed=20,
            )
        )
    for job in jobs:
        job.wait_for("has another client the same `client_id`?")
    for job in jobs:
        job.process.kill()
        job.process.communicate()


@pytest.mark.parametrize("code", range(1, 6))
def test_a_refusal_is_told_alike(code, tmp_path):
    found = []
    for runtime in ("cpython", "vm"):
        trap = Trap(bytes((0x20, 2, 0, code)), hang_up=True)
        entry = entry_for(trap.port, user="u", password=PASSWORD)
        until = "denied" if code > 3 else "waiting"
        report = Job(runtime, tmp_path, entry=entry, count=1, until=until).report()
        trap.close()
        found.append(report["states"][-1].replace(str(trap.port), "1883"))
    assert found[0] == found[1]
    assert "no answer" not in found[0] and found[0].startswith(("waiting", "denied")), found


@both
@pytest.mark.parametrize("end", ("orderly", "killed"))
def test_status_online_and_offline(runtime, end, broker, tmp_path):
    with Recorder(broker.port, "cellar/status") as recorder:
        job = Job(
            runtime, tmp_path, entry=entry_for(broker.port), count=1, linger_s=1.5, until="sent"
        )
        recorder.wait_for(lambda: recorder.last("cellar/status") == b"online")
        if end == "killed":
            job.process.kill()
            job.process.communicate()
        else:
            job.report()
        recorder.wait_for(lambda: recorder.last("cellar/status") == b"offline")
    with Recorder(broker.port, "cellar/status", client_id="later") as later:
        later.wait_for(lambda: later.messages)
        assert later.messages == [("cellar/status", b"offline", True)]


@both
def test_wrong_password_waits_loudly_and_loses_nothing(runtime, locked_broker, tmp_path):
    wrong = "wr0ng-pa55word"
    entry = entry_for(locked_broker.port, user="logger", password=wrong)
    job = Job(runtime, tmp_path, entry=entry, count=20, until="denied", linger_s=1)
    report = job.report()
    assert "wrong `user` or `password`" in report["states"][-1]
    assert report["sent"] == 0 and report["dropped"] == 0 and report["waiting"] == 20
    assert wrong not in job.text
    # One line in the log, and it is tried again: here each minute takes a second.
    job = Job(runtime, tmp_path, entry=entry, count=20, speed=60, timeout_ms=600000)
    job.wait_for("wrong `user`")
    locked_broker.stop()
    locked_broker.set_users({"logger": wrong, "recorder": "r"})
    locked_broker.start()
    assert job.report()["sent"] == 20
    assert job.text.count("wrong `user`") == 2  # the log line, and the states in the report
    assert wrong not in job.text


@both
def test_right_password(runtime, locked_broker, tmp_path):
    entry = entry_for(locked_broker.port, user="logger", password=PASSWORD)
    job = Job(runtime, tmp_path, entry=entry, count=20)
    assert job.report()["sent"] == 20
    assert PASSWORD not in job.text


class Trap:
    """Takes connections, writes down what comes, and answers with what it is given, if anything.

    With a certificate it speaks TLS; `heard` is then what came through a finished handshake.
    """

    def __init__(
        self,
        answer: bytes = b"",
        certificate: tuple[str, str] | None = None,
        hang_up: bool = False,
    ) -> None:
        self.port = free_port()
        self.heard = b""
        self.connections = 0
        self._answer = answer
        self._hang_up = hang_up
        self._context = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                wire, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(wire,), daemon=True).start()

    def _serve(self, wire: socket.socket) -> None:
        try:
            if self._context:
                wire = self._context.wrap_socket(wire, server_side=True)
            self.heard += wire.recv(4096)
            if self._answer:
                wire.sendall(self._answer)
            if self._hang_up:
                wire.close()
                return
            while part := wire.recv(4096):
                self.heard += part
        except OSError:
            pass


@both
@pytest.mark.parametrize("answer", (b"", b"\x20\x02\x00\x00"), ids=("silent", "connack only"))
def test_a_broker_that_never_answers(runtime, answer, tmp_path):
    trap = Trap(answer)
    job = Job(
        runtime,
        tmp_path,
        entry=entry_for(trap.port, timeout=2),
        count=20,
        interval_ms=1,
        speed=4,
        timeout_ms=24000,
    )
    report = job.report()
    trap.close()
    assert report["sent"] == 0 and report["dropped"] == 0 and report["waiting"] == 20
    assert trap.connections >= 2  # it does not wait for ever
    wanted = "was lost" if answer else "no answer"
    assert any(wanted in state for state in report["states"]), report
    # The other tasks went on: 6 s of real time in steps of 5 ms and more.
    assert report["ticks"] > 300


@both
def test_a_hung_handshake_leaves_others_their_turn(runtime, tmp_path):
    """Half of the time-out, and the gate is open: see net/handshake.py."""
    made = certs.make(tmp_path)
    trap = Trap()
    entry = {**_tls_entry(trap.port, made), "timeout": 4}
    report = Job(runtime, tmp_path, entry=entry, count=1, gate=True, until="waiting").report()
    trap.close()
    assert "no answer" in report["states"][-1], report
    if runtime == "vm":  # the computer's client has no gate
        assert 1900 < report["gate_ms"] < 3900, report


@both
def test_nobody_listens(runtime, tmp_path):
    job = Job(runtime, tmp_path, entry=entry_for(free_port()), count=5, timeout_ms=1500)
    report = job.report()
    assert report["waiting"] == 5
    assert "connection refused" in report["states"][-1]


@both
@pytest.mark.parametrize("answer", (b"", b"\x20\x02\x00\x00"), ids=("at once", "after connack"))
def test_a_broker_that_hangs_up_costs_nothing(runtime, answer, tmp_path):
    """Some hundred connections that fail leave no socket and no memory behind."""
    trap = Trap(answer, hang_up=True)
    report = Job(
        runtime,
        tmp_path,
        entry=entry_for(trap.port),
        count=5,
        speed=2000,
        timeout_ms=12000000,
        warm_ms=4000000,
        linger_s=0.5,
    ).report()
    trap.close()
    assert trap.connections > 100
    assert report["fds"][1] <= report["fds"][0] + 1, report
    # A socket left behind takes more each time; what the stack still points to when the heap is
    # looked at is a buffer or two, however many connections there were.
    grown = report["heap"][1] - report["heap"][0]
    assert grown <= 32 * trap.connections, (trap.connections, report)
    assert report["waiting"] == 5 and report["sent"] == 0


@both
def test_the_network_goes_and_comes(runtime, broker, tmp_path):
    with Recorder(broker.port) as recorder:
        report = Job(
            runtime,
            tmp_path,
            entry=entry_for(broker.port),
            count=300,
            interval_ms=10,
            link_down_ms=[1000, 3500],
        ).report()
        recorder.wait_for(lambda: len({name for name, _ in objects(recorder.messages)}) >= 300)
        topics = {message[0] for message in recorder.messages}
    assert report["sent"] == 300
    assert "waiting: no network" in report["states"]
    assert "cellar/meter/backlog" in topics


@both
def test_tls_with_password(runtime, tmp_path):
    tiers.require("mosquitto", "servers", "apt install mosquitto")
    made = certs.make(tmp_path)
    broker = Mosquitto(tmp_path / "mosquitto", {"logger": PASSWORD, "recorder": "r"}, made.good)
    broker.start()
    try:
        entry = _tls_entry(broker.port, made)
        with Recorder(broker.port, user="recorder", password="r", ca=made.ca) as recorder:
            report = Job(runtime, tmp_path, entry=entry, count=200, interval_ms=2).report()
            assert report["sent"] == 200, report
            recorder.wait_for(lambda: len(objects(recorder.messages)) >= 200)
            assert dict(objects(recorder.messages))["5f0c1a22-c7"] == expected(199)
    finally:
        broker.stop()


def _tls_entry(port: int, made, **more) -> dict:
    return {
        "host": "localhost",
        "port": port,
        "tls": True,
        "ca": made.ca,
        "user": "logger",
        "password": PASSWORD,
        **more,
    }


@both
def test_a_server_with_the_right_certificate_hears_the_password(runtime, tmp_path):
    """So that the next tests can fail: the trap hears what comes through TLS."""
    made = certs.make(tmp_path)
    trap = Trap(b"", made.good)
    Job(runtime, tmp_path, entry=_tls_entry(trap.port, made), count=1, timeout_ms=1500).report()
    trap.close()
    assert PASSWORD.encode() in trap.heard


@both
@pytest.mark.parametrize("which", ("wrong_ca", "wrong_name", "expired"))
def test_a_wrong_certificate_never_hears_the_password(runtime, which, tmp_path):
    made = certs.make(tmp_path)
    trap = Trap(b"", getattr(made, which))
    job = Job(runtime, tmp_path, entry=_tls_entry(trap.port, made), count=1, timeout_ms=2500)
    report = job.report()
    trap.close()
    assert trap.connections >= 1
    assert trap.heard == b""
    assert report["waiting"] == 1
    assert any("certificate not accepted" in state for state in report["states"]), report
    assert PASSWORD not in job.text


@both
def test_a_server_without_tls_never_hears_the_password(runtime, tmp_path):
    made = certs.make(tmp_path)
    trap = Trap(b"this is no TLS\r\n")
    job = Job(runtime, tmp_path, entry=_tls_entry(trap.port, made), count=1, timeout_ms=2500)
    report = job.report()
    trap.close()
    assert trap.heard and PASSWORD.encode() not in trap.heard
    assert report["sent"] == 0 and "TLS failed" in report["states"][-1], report


@both
def test_without_checking_it_works_with_any_certificate(runtime, tmp_path):
    made = certs.make(tmp_path)
    trap = Trap(b"", made.wrong_ca)
    entry = _tls_entry(trap.port, made, verify=False, ca=None)
    Job(runtime, tmp_path, entry=entry, count=1, timeout_ms=1500).report()
    trap.close()
    assert PASSWORD.encode() in trap.heard
