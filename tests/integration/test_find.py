"""tools/find on simulated announcements: what it prints passes the check of `make boards`.

Answers to mDNS are built by PyPI's dnspython; Tuya's broadcast is one of tinytuya's; what has a
web page is a simulated device. All of it on this computer, at ports of its own.
"""

import ast
import contextlib
import json
import os
import random
import socket
import struct
import subprocess
import sys
import threading
import zlib

import pytest

from tests import tiers
from tests.servers.real_mosquitto import free_port
from tests.servers.udp import UdpServer
from tools import ROOT, boards
from tools.find import dnssd, listen, probe
from tools.sim import lan_devices
from tools.sim.lan import Device, Login

MDNS, SSDP = "224.0.0.251", "239.255.255.250"
FRITZ = b"HTTP/1.1 200 OK\r\nLOCATION: http://127.0.0.1:49000/igddesc.xml\r\n"
FRITZ += (
    b"SERVER: FRITZ!Box 7590 UPnP/1.0 AVM FRITZ!Box 7590 154.08.20\r\nST: upnp:rootdevice\r\n\r\n"
)
ROUTER = b"HTTP/1.1 200 OK\r\nSERVER: Linux UPnP/1.0 Another\r\n\r\n"
MYSTROM = bytes((1, 2, 3, 4, 5, 6, 107, 6))
LOGIN = Login("digest", "admin", "s3cr3t")


def tuya_broadcast() -> bytes:
    for line in (ROOT / "tests/fixtures/tuya/frames.txt").read_text().splitlines():
        version, what, _, frame, *_ = [*map(str.strip, line.split("|")), "", "", ""]
        if (version, what) == ("udp6667", "discovery_broadcast"):
            return bytes.fromhex(frame)
    raise AssertionError("no such frame")


def tuya_announcement(identity: str) -> bytes:
    """As version 3.1 sends it: not encrypted, behind a return code."""
    about = {"ip": "192.0.2.50", "gwId": identity, "version": "3.1", "productKey": "k"}
    body = bytes(4) + json.dumps(about).encode()
    frame = struct.pack(">IIII", 0x55AA, 0, 0, len(body) + 8) + body
    return frame + struct.pack(">II", zlib.crc32(frame), 0xAA55)


def responder(services: list[tuple[str, str, str, int, dict[str, str]]]):
    """Answers for (service, instance, host, port, about), as a device does."""
    import dns.message
    import dns.rrset

    def answer(datagram: bytes) -> list[bytes]:
        question = dns.message.from_wire(datagram)
        asked = [one.name.to_text() for one in question.question]
        replies = []
        for kind, instance, host, port, about in services:
            if kind not in asked:
                continue
            reply = dns.message.make_response(question)
            full = f"{instance}.{kind}"
            reply.answer.append(dns.rrset.from_text(kind, 4500, "IN", "PTR", full))
            more = reply.additional
            more.append(dns.rrset.from_text(full, 120, "IN", "SRV", f"0 0 {port} {host}"))
            texts = [f'"{key}={value}"' for key, value in about.items()] or ['""']
            more.append(dns.rrset.from_text(full, 4500, "IN", "TXT", " ".join(texts)))
            more.append(dns.rrset.from_text(host, 120, "IN", "A", "127.0.0.1"))
            replies.append(reply.to_wire())
        return replies

    return answer


class House:
    """Devices, and what they announce."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self.services: list = []
        self.ports = {name: free_port() for name in listen.PORTS}

    def device(self, kind: str, *services: str, about=None, host="", login=None) -> Device:
        device = lan_devices.start(kind, login=login)
        self._stack.callback(device.close)
        host = host or kind
        for service in services:
            name = f"_{service}._tcp.local."
            self.services.append((name, host, f"{host}.local.", device.port, about or {}))
        return device

    def announce(self, boxes: bool = True) -> None:
        """Begin to answer."""
        at = ("", self.ports["mdns"])
        self._stack.enter_context(UdpServer(responder(self.services), at, MDNS))
        answers = [ROUTER, FRITZ] if boxes else [ROUTER]
        at = ("", self.ports["ssdp"])
        self._stack.enter_context(UdpServer(lambda _: answers, at, SSDP))

    def broadcast(self, name: str, data: bytes) -> None:
        """From now on, again and again."""
        stop = threading.Event()

        def send() -> None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                while not stop.wait(0.1):
                    sock.sendto(data, ("127.0.0.1", self.ports[name]))

        thread = threading.Thread(target=send)
        self._stack.callback(thread.join)
        self._stack.callback(stop.set)
        thread.start()

    def find(self, *more: str) -> subprocess.CompletedProcess:
        ports = [f"--port={name}={port}" for name, port in self.ports.items()]
        line = [sys.executable, "-m", "tools.find", "--interface", "127.0.0.1", *ports, *more]
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        return done


@pytest.fixture
def house():
    tiers.require("dns", "host", "pip install dnspython")
    with contextlib.ExitStack() as stack:
        yield House(stack)


def readers(done: subprocess.CompletedProcess) -> list[dict]:
    """What is to be pasted."""
    assert done.returncode == 0, done.stderr
    (only,) = ast.parse(done.stdout.replace(": true", ": True")).body
    assert isinstance(only, ast.Assign)
    return ast.literal_eval(only.value)


def check(folder, done: subprocess.CompletedProcess) -> None:
    """As `make boards CONFIG=…` does."""
    path = folder / "found.py"
    wifi = "wifi = {'ssid': 'home', 'password': 'its password'}\nsinks = [{'type': 'console'}]\n"
    path.write_text("device = 'logger'\n" + wifi + done.stdout)
    assert list(boards.config_problems(path, "ESP32_GENERIC")) == [], done.stdout


def test_all_that_announces_itself(house, tmp_path):
    pro = house.device("shelly-pro3em", "shelly", "http", about={"gen": "2"}, login=LOGIN)
    old = house.device("shelly-3em", "http", host="shellyem3-aabb")
    api = {"api_enabled": "1", "path": "/api/v1", "product_type": "HWE-P1"}
    p1 = house.device("homewizard", "hwenergy", about=api)
    dtu = house.device("opendtu", "opendtu", "http")
    inverter = house.device("fronius", "fronius-se-inverter")
    charger = house.device("goe", "http", host="go-echarger_123456")
    house.services.append(("_http._tcp.local.", "printer", "printer.local.", free_port(), {}))
    house.announce()
    house.broadcast("tuya6666", tuya_announcement("bf0123456789abcdefgh"))
    house.broadcast("tuya6667", tuya_broadcast())  # of a device whose id is none
    done = house.find("--seconds", "4")
    found = readers(done)
    check(tmp_path, done)
    print(done.stdout)
    by_port = {}
    for entry in found:
        by_port.setdefault(entry.get("port"), []).append(entry)
    assert len({entry["name"] for entry in found}) == len(found)
    told = [(pro, "shelly"), (old, "shelly"), (p1, "homewizard"), (dtu, "opendtu")]
    for device, kind in [*told, (inverter, "fronius"), (charger, "goe")]:
        entries = by_port[device.port]
        assert {entry["device"] for entry in entries} == {kind}
        assert {entry["host"] for entry in entries} == {"127.0.0.1"}
    assert by_port[pro.port][0]["password"] == probe.PASSWORD
    assert "password" not in by_port[p1.port][0]
    assert [one["unit"] for one in by_port[dtu.port]] == ["116180000001", "116180000002"]
    boxes = [entry for entry in found if entry["type"] == "fritz"]
    assert [box["host"] for box in boxes] == ["127.0.0.1"]
    (tuya,) = [entry for entry in found if entry["type"] == "tuya"]
    assert (tuya["id"], tuya["host"]) == ("bf0123456789abcdefgh", "192.0.2.50")
    assert tuya["version"] == "3.1"
    assert "go-echarger_123456.local" in done.stdout
    assert sum(len(entries) for entries in by_port.values()) == len(found)


@pytest.mark.parametrize("kind", lan_devices.KINDS)
def test_an_address_is_asked(house, tmp_path, kind):
    device = house.device(kind)
    done = house.find("--seconds", "0.1", "--at", f"127.0.0.1:{device.port}")
    (entry, *_) = readers(done)
    assert (entry["device"], entry["port"]) == (kind.partition("-")[0], device.port)
    check(tmp_path, done)


def test_nothing_is_there(house):
    done = house.find("--seconds", "0.2", "--at", f"127.0.0.1:{free_port()}")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing was found" in done.stderr


def test_a_local_api_that_is_off(house, tmp_path):
    house.services.append(
        ("_hwenergy._tcp.local.", "p1", "p1.local.", free_port(), {"api_enabled": "0"})
    )
    house.announce(boxes=False)
    done = house.find("--seconds", "3")
    assert "switch its Local API on" in done.stdout
    assert readers(done)[0]["device"] == "homewizard"
    check(tmp_path, done)


def test_a_port_that_another_program_holds(house):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("", 0))
        house.ports["mystrom"] = other.getsockname()[1]
        done = house.find("--seconds", "0.1")
    assert f"not heard: UDP port {house.ports['mystrom']}" in done.stderr


def test_broadcasts():
    heard = listen.Heard()
    heard.take("tuya6667", tuya_broadcast(), "192.0.2.9")
    heard.take("mystrom", MYSTROM, "192.0.2.8")
    heard.take("mystrom", bytes((1, 2, 3, 4, 5, 6, 104, 6)), "192.0.2.7")  # a button
    heard.take("mystrom", b"x", "192.0.2.6")
    assert heard.switches == ["192.0.2.8"]
    ((identity, (address, version)),) = heard.tuya.items()
    assert identity and address.count(".") == 3 and version[:2] == "3."


def test_damaged_announcements():
    """Whole, cut anywhere and damaged anywhere: nothing raises, nothing is invented."""
    tiers.require("dns", "host", "pip install dnspython")
    services = [("_shelly._tcp.local.", "plug", "plug.local.", 80, {"gen": "3", "app": "PlugS"})]
    (whole,) = responder(services)(dnssd.question(("_shelly._tcp.local",)))
    announced = dnssd.Announced()
    announced.feed(whole, "192.0.2.1")
    (found,) = announced.services()
    assert found == dnssd.Service(
        "_shelly._tcp.local", "plug", "plug.local", "127.0.0.1", 80, {"gen": "3", "app": "PlugS"}
    )
    for cut in range(len(whole)):
        announced = dnssd.Announced()
        announced.feed(whole[:cut], "192.0.2.1")
        assert len(announced.services()) <= 1
    dice = random.Random(7)
    heard = listen.Heard()
    for _ in range(20000):
        data = bytearray(whole if dice.random() < 0.8 else os.urandom(dice.randrange(200)))
        for _ in range(dice.randrange(4)):
            if data:
                data[dice.randrange(len(data))] = dice.randrange(256)
        heard.take(dice.choice(list(listen.PORTS)), bytes(data), "192.0.2.1")
    for one in heard.services:
        assert one.kind in listen.KINDS
