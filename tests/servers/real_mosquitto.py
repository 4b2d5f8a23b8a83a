"""A real mosquitto for tests, and a subscriber that writes down all that arrives.

broker = Mosquitto(tmp_path, users={"logger": "secret"}, certificate=made.good)
broker.start()                      # on broker.port of 127.0.0.1
broker.restart(down_s=0.5)          # keeps sessions and retained messages, as on a disk
broker.stop()                       # or kill()

with Recorder(broker.port) as recorder:      # subscribed to everything, over restarts
    recorder.wait_for(lambda: len(recorder.messages) >= 10)
    recorder.messages               # [(topic, payload, retained), ...]
    recorder.repeated               # those of them that the broker has sent twice by itself
"""

import calendar
import json
import shutil
import socket
import subprocess
import time
from pathlib import Path

import paho.mqtt.client as paho

from tests.waiting import HANG_S


class Mosquitto:
    """A broker in a folder of its own."""

    def __init__(
        self,
        folder: Path,
        users: dict[str, str] | None = None,
        certificate: tuple[str, str] | None = None,
        more: tuple[str, ...] = (),
    ) -> None:
        """more: lines of its configuration."""
        self.port = free_port()
        self._more = more
        self._folder = folder
        self._users = users or {}
        self._certificate = certificate
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "Mosquitto":
        self.start()
        return self

    def __exit__(self, *error) -> None:
        self.stop()

    def start(self) -> None:
        """Start, and return when it takes connections."""
        self._folder.mkdir(parents=True, exist_ok=True)
        configuration = self._folder / "mosquitto.conf"
        configuration.write_text("\n".join(self._settings()) + "\n")
        program = shutil.which(
            "mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
        )
        with (self._folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program or "mosquitto", "-c", str(configuration)], stdout=log, stderr=log
            )
        deadline = time.monotonic() + HANG_S
        while not _listens(self.port):
            if time.monotonic() > deadline or self._process.poll() is not None:
                text = (self._folder / "mosquitto.log").read_text()
                raise RuntimeError("mosquitto does not start: " + text[-500:])
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it as a service manager would: it saves its sessions."""
        if self._process:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def kill(self) -> None:
        """A power cut of its machine."""
        if self._process:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def restart(self, down_s: float = 0.5) -> None:
        """Stop, wait, and start again on the same port."""
        self.stop()
        time.sleep(down_s)
        self.start()

    def set_users(self, users: dict[str, str]) -> None:
        """Other users from the next start on."""
        self._users = users

    def _settings(self) -> list[str]:
        lines = [
            f"listener {self.port} 127.0.0.1",
            "persistence true",
            f"persistence_location {self._folder}/",
            "max_queued_messages 0",
            "user root",
            *self._more,
        ]
        if self._users:
            passwords = self._folder / "passwords"
            passwords.write_text("".join(f"{u}:{p}\n" for u, p in self._users.items()))
            subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True)
            lines.append(f"password_file {passwords}")
        else:
            lines.append("allow_anonymous true")
        if self._certificate:
            lines += [f"certfile {self._certificate[0]}", f"keyfile {self._certificate[1]}"]
        return lines


class Recorder:
    """A subscriber with a session that survives restarts of the broker."""

    def __init__(
        self,
        port: int,
        topic: str = "#",
        user: str = "",
        password: str = "",
        ca: str = "",
        client_id: str = "recorder",
    ) -> None:
        self.messages: list[tuple[str, bytes, bool]] = []
        self.repeated: list[tuple[str, bytes, bool]] = []
        self._seen: set[tuple[int, str, bytes]] = set()
        self._topic = topic
        self._client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False
        )
        self._client.on_connect = self._connected
        self._client.on_message = self._message
        self._client.on_subscribe = self._subscribed
        self._client.reconnect_delay_set(0.05, 0.2)  # type: ignore[arg-type]
        self._ready = False
        if user:
            self._client.username_pw_set(user, password)
        if ca:
            self._client.tls_set(ca)
        self._port = port

    def __enter__(self) -> "Recorder":
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        self.wait_for(lambda: self._ready)
        return self

    def __exit__(self, *error) -> None:
        self._client.loop_stop()
        self._client.disconnect()

    def wait_for(self, condition, timeout_s: float = HANG_S) -> None:
        """Return when the condition holds; AssertionError when it does not come about."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, f"only {len(self.messages)} messages came"
            time.sleep(0.02)

    def last(self, topic: str) -> bytes | None:
        """The newest payload of a topic."""
        found = [payload for name, payload, _ in self.messages if name == topic]
        return found[-1] if found else None

    def readings(self) -> list[tuple[int, dict, str]]:
        """(Unix seconds, {channel: text} and source, id) of each reading that came as JSON.

        Not those without a value, which tell that a meter fell silent.
        """
        found = []
        for topic, payload, retained in list(self.messages):
            if retained or topic.endswith("/status"):
                continue
            message = json.loads(payload, parse_float=str, parse_int=str)
            for reading in message.get("readings", [message]):
                when = calendar.timegm(time.strptime(reading.pop("time"), "%Y-%m-%dT%H:%M:%SZ"))
                name = reading.pop("id")
                if any(value is not None for value in reading.values()):
                    found.append((when, reading, name))
        return found

    def _connected(self, client, userdata, flags, reason, properties) -> None:
        client.subscribe(self._topic, 1)

    def _subscribed(self, *arguments) -> None:
        self._ready = True

    def _message(self, client, userdata, message) -> None:
        # What was published twice has two packet ids. The DUP flag says nothing: mosquitto sets it
        # on all that it has restored, also on what it never sent.
        known = (message.mid, message.topic, message.payload)
        if message.qos and known in self._seen:
            self.repeated.append((message.topic, message.payload, message.retain))
        self._seen.add(known)
        self.messages.append((message.topic, message.payload, message.retain))


def free_port() -> int:
    """A TCP port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
