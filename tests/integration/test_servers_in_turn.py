"""Three servers at once in the heap of the profile that claims them, and what befalls each.

An image (code in flash) in an ESP32's 140 kB, a P1 meter, a real mosquitto, a real InfluxDB and
EmonCMS's contract server through twenty minutes: a wrong password and a wrong key at first, the
broker killed three times, InfluxDB away for five minutes, a broker that accepts and never answers,
an EmonCMS that takes a batch and never answers. Every reading arrives at all three as it was on
the wire, and comes again only with its id or its time.

JOULELOG_LONG=1: in real time; else compressed forty times.
"""

import os
import socket
import threading
from pathlib import Path

import pytest

from tests.integration.soak_rig import INTERVAL_S, SERVERS, Mqtt, Soak
from tests.servers.real_mosquitto import Mosquitto, Recorder

LONG = bool(os.environ.get("JOULELOG_LONG"))
SPEED = 1 if LONG else 40
MINUTES = 20
SINKS = ["mqtt", "influxdb", "emoncms"]
FREE = 40 * 1024  # bytes that an ESP32 has to keep
LARGEST = 8 * 1024

pytestmark = pytest.mark.timeout(3600 if LONG else 900)  # the first of a chip builds a MicroPython


class Guarded(Mqtt):
    """A broker that wants a password, and knows another one at first."""

    def __init__(self, folder: Path) -> None:
        self.right = {"logger": "as configured", "recorder": "its own"}
        # Each change is on its disk: a killed broker still knows its subscriber.
        more = ("autosave_on_changes true", "autosave_interval 1")
        self.broker = self._broker = Mosquitto(
            folder / "broker", {**self.right, "logger": "another"}, more=more
        )
        self.broker.start()
        user = {"user": "recorder", "password": "its own"}
        self._recorder = Recorder(self.broker.port, "logger/#", **user)
        self._recorder.__enter__()
        self.start, self.stop = self.broker.start, self.broker.stop
        self.entry = {"type": "mqtt", "host": "127.0.0.1", "port": self.broker.port}
        self.entry |= {"user": "logger", "password": "as configured"}


class Mute:
    """Accepts on a port, reads, and never answers."""

    def __init__(self, port: int) -> None:
        self.accepted = 0
        self._listener = socket.create_server(("127.0.0.1", port))
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for one in [self._listener, *self._open]:
            one.close()

    def _serve(self) -> None:
        while True:
            try:
                self._open.append(self._listener.accept()[0])
            except OSError:
                return
            self.accepted += 1


class Story:
    """What happens when, in minutes of the meter's time."""

    def __init__(self, soak: Soak) -> None:
        self.soak = soak
        self.broker: Mosquitto = soak.servers["mqtt"].broker
        self.influx, self.emoncms = soak.servers["influxdb"], soak.servers["emoncms"]
        self.mute: Mute | None = None
        self.emoncms.server.mode = "401"

    def until(self, minute: float) -> None:
        wanted = int(minute * 60 / INTERVAL_S)
        self.soak.wait_readings(max(0, wanted - len(self.soak.run.readings)))

    def right_password(self) -> None:
        self.broker.stop()
        self.broker.set_users(self.soak.servers["mqtt"].right)
        self.broker.start()
        self.emoncms.server.mode = "ok"

    def be_mute(self) -> None:
        self.broker.stop()
        self.mute = Mute(self.broker.port)

    def speak_again(self) -> None:
        self.soak.wait(lambda run: self.mute.accepted > 0)
        self.mute.close()
        self.broker.start()

    def play(self) -> None:
        for minute, event in (
            (2, self.right_password),
            (3, self.broker.kill),
            (4, self.broker.start),
            (5, self.influx.stop),
            (6, self.broker.kill),
            (7, self.broker.start),
            (10, self.influx.start),
            (11, self.be_mute),
            (13, self.speak_again),
            (14, lambda: setattr(self.emoncms.server, "mode", "silent")),
            (15, lambda: setattr(self.emoncms.server, "mode", "ok")),
            (16, self.broker.kill),
            (17, self.broker.start),
            (MINUTES, lambda: None),
        ):
            self.until(minute)
            event()


def test_twenty_minutes(tmp_path: Path) -> None:
    servers = {**SERVERS, "mqtt": Guarded}
    with Soak(tmp_path, "esp32", "p1", SINKS, servers, SPEED) as soak:
        soak.start()
        Story(soak).play()
        soak.finish()
        soak.check()
        print(soak.figures())
        readings = len(soak.run.readings)
        for kind, server in soak.servers.items():
            came = {(when, name) for when, _, name in server.found()}
            assert len({when for when, _ in came}) == len(came), f"{kind}: one reading, two ids"
            assert len(came) >= readings - 1, kind  # the last one tells of silence
        said = "\n".join(soak.run.said)
        assert "wrong `user` or `password`" in said and "emoncms: wrong key" in said, said
        assert "client_id" not in said, said  # a broker that is away is no second client
        assert min(sample.free for sample in soak.run.samples) >= FREE, soak.figures()
        assert min(sample.largest for sample in soak.run.samples) >= LARGEST, soak.figures()
