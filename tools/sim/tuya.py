"""A simulated Tuya device, versions 3.1, 3.3, 3.4 and 3.5: what it measures grows.

    meter = Meter("bf0123456789abcdef01", "0123456789abcdef", "3.4", "pj1103a")
    meter.port, meter.mode                   # a free port of 127.0.0.1; "ok"
    meter.push({"101": 300})                 # to all that are connected
    meter.drop()                             # all connections, as a restart does
    meter.device22 = meter.frozen = True     # wants a list of what is asked; needs UPDATEDPS
    meter.queries, meter.updates, meter.heartbeats, meter.agreed     # how often

    .venv/bin/python -m tools.sim.tuya --device pj1103a --version 3.4      # until Ctrl-C

It is built on PyPI's cryptography and knows nothing of lib/tuya but its tables. An entry with
`"host": "sim"` starts one with its id and key; one without `version` gets a 3.4.

The modes: "ok", "hang" (accepts and never answers), "reset" (cuts in mid-answer), "half" (half an
answer, and the connection stays open), "garbage" (random bytes), "huge" (10 MB of them). A
function of how many queries have come makes each query's mode.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import socket
import struct
import sys
import threading
import time
import zlib
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from jsonmeter.table import Table
from tuya import devices

from tools.sim import child

UDP_KEY = hashlib.md5(b"yGAdlopoPVldABfn").digest()
_BROADCAST = "127.255.255.255"
_BARE = (3, 4, 5, 9, 10, 16, 18)
# By device class: what a data point counts up from, and how far.
_NUMBERS = {
    "voltage": (2301, 5),
    "frequency": (4998, 4),
    "power_factor": (95, 5),
    "power": (257, 9),
}


class Meter:
    """See the module's text."""

    def __init__(
        self,
        device_id: str,
        key: str,
        version: str = "3.4",
        device: str | None = "pj1103a",
        rows=None,
        port: int = 0,
        address: str = "127.0.0.1",
        now: Callable[[], int] | None = None,
    ) -> None:
        """now: its time in seconds since it began, None: the computer's."""
        self.device_id, self.key, self.version = device_id, key.encode(), version
        self.mode: str | Callable[[int], str] = "ok"
        self.count = 0  # queries that came
        self.device22 = self.frozen = False
        self.queries = self.updates = self.heartbeats = self.agreed = self.refused = 0
        self.address = address
        began = time.monotonic()
        self._now = now or (lambda: int(time.monotonic() - began))
        self._table = Table(rows or devices.rows(device or "pj1103a"))
        self._measured = self._now()
        self._clients: list[_Client] = []
        self._closing = threading.Event()
        self._server = socket.create_server((address, port))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def mode_now(self) -> str:
        """Of this query."""
        return self.mode(self.count) if callable(self.mode) else self.mode

    def dps(self) -> dict[str, object]:
        """What it measures now; what is frozen as it was when it was told to measure anew."""
        second = self._measured if self.frozen else self._now()
        found: dict[str, object] = {}
        for row, (terms, _, _, _, _, _, by) in zip(
            self._table.rows, self._table._fields, strict=True
        ):
            first, span = _NUMBERS.get(row[4], (1000, 0))
            for path, *_ in terms:
                value = first + (second % span if span else second)
                found.setdefault(self._table.paths[path][4:], value)
            if by:
                word = by[1 if row[0][-1:] != "2" else 2].decode()
                found[self._table.paths[by[0]][4:]] = int(word) if word.isdigit() else word
        return found

    def push(self, dps: dict) -> None:
        """Send what has changed, as it does by itself."""
        for client in list(self._clients):
            client.say(8, self._status(dps))

    def drop(self) -> None:
        """Close all connections."""
        for client in list(self._clients):
            client.close()

    def close(self) -> None:
        """Nobody answers any more."""
        self._closing.set()
        self._server.close()
        # A thread that waits for a client holds the port otherwise.
        try:
            socket.create_connection((self.address, self.port), 0.1).close()
        except OSError:
            pass
        self.drop()

    def announce(self, every_s: float = 1.0) -> None:
        """Tell by UDP where it is, until it is closed."""
        threading.Thread(target=self._announce, args=(every_s,), daemon=True).start()

    def announcement(self) -> bytes:
        """The datagram."""
        about = {"ip": self.address, "gwId": self.device_id, "active": 2, "encrypt": True}
        text = json.dumps({**about, "productKey": "key0simulated", "version": self.version})
        body = text.encode()
        if self.version >= "3.5":
            return _gcm(UDP_KEY, 0, 0x13, b"\0\0\0\0" + body)
        if self.version != "3.1":
            body = _ecb(UDP_KEY, _padded(body))
        return _plain(None, 0, 0x13, b"\0\0\0\0" + body)

    def _announce(self, every_s: float) -> None:
        port = 6666 if self.version == "3.1" else 6667
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            while not self._closing.is_set():
                sock.sendto(self.announcement(), (_BROADCAST, port))
                self._closing.wait(every_s)

    def _status(self, dps: dict) -> dict:
        if self.version >= "3.4":
            return {"protocol": 4, "t": int(time.time()), "data": {"dps": dps}}
        return {"devId": self.device_id, "dps": dps, "t": int(time.time())}

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            if self._closing.is_set():
                connection.close()
                return
            client = _Client(self, connection)
            self._clients.append(client)
            threading.Thread(target=client.serve, daemon=True).start()

    def answer(self, client: "_Client", command: int, text: bytes) -> None:
        """What it says to a command."""
        asked = json.loads(text) if text[:1] == b"{" else {}
        self.count += command in (10, 13, 16)
        if command == 9:
            self.heartbeats += 1
            client.say(9, b"")
        elif command == 18:
            self.updates += 1
            self._measured = self._now()
            client.say(18, b"")
        elif command in (10, 16) and self.device22:
            client.say(command, b"json obj data unvalid", 1)
        elif command == 13 and self.device22:
            self.queries += 1
            wanted = asked["dps"]
            client.say(13, b"")
            client.say(8, self._status({k: v for k, v in self.dps().items() if k in wanted}))
        elif command == (16 if self.version >= "3.4" else 10):
            self.queries += 1
            client.say(command, {"devId": self.device_id, "dps": self.dps()}, whole=False)


class _Client:
    """One connection."""

    def __init__(self, meter: Meter, connection: socket.socket) -> None:
        self._meter = meter
        self._socket = connection
        self._key = meter.key
        self._nonces = b""
        self._sequence = 0
        self._sending = threading.Lock()

    def close(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()
        if self in self._meter._clients:
            self._meter._clients.remove(self)

    def serve(self) -> None:
        try:
            while True:
                self._frame()
        except (OSError, EOFError, ValueError, KeyError):
            self.close()

    def say(self, command: int, text, code: int = 0, whole: bool = True) -> None:
        """Send a frame; whole: not the one that bad days are about."""
        body = json.dumps(text, separators=(",", ":")).encode() if isinstance(text, dict) else text
        data = self._packed(command, body, code)
        mode = "ok" if whole else self._meter.mode_now()
        try:
            with self._sending:
                if mode == "ok":
                    self._socket.sendall(data)
                elif mode in ("reset", "half"):
                    self._socket.sendall(data[: len(data) // 2])
                    if mode == "reset":
                        linger = struct.pack("ii", 1, 0)
                        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                        self._socket.close()
                elif mode in ("garbage", "huge"):
                    count = 10_000_000 if mode == "huge" else 300
                    self._socket.sendall(os.urandom(count))
        except OSError:
            pass  # the client has gone

    def _frame(self) -> None:
        """Read a frame, and answer it."""
        head = self._exactly(16)
        gcm = head[:4] == b"\x00\x00\x66\x99"
        if gcm:
            head += self._exactly(2)
        command, length = struct.unpack(">2I", head[-8:])
        rest = self._exactly(length + (4 if gcm else 0))
        if gcm != (self._meter.version >= "3.5"):
            raise ValueError("another version")
        text = self._opened(head, rest, gcm)
        if self._meter.mode == "hang":
            return  # to nothing, be it the exchange of keys
        if command == 3:
            self._exchange(text)
        elif command == 5:
            proof = hmac.digest(self._meter.key, self._nonces[16:], "sha256")
            if text != proof:
                self._meter.refused += 1
                raise ValueError("another key")
            self._key = self._session_key()
            self._meter.agreed += 1
        else:
            self._meter.answer(self, command, text)

    def _exchange(self, nonce: bytes) -> None:
        if len(nonce) != 16:
            raise ValueError("no nonce")
        self._nonces = nonce + os.urandom(16)
        proof = hmac.digest(self._meter.key, nonce, "sha256")
        self.say(4, self._nonces[16:] + proof)

    def _session_key(self) -> bytes:
        mixed = bytes(a ^ b for a, b in zip(self._nonces[:16], self._nonces[16:], strict=True))
        if self._meter.version >= "3.5":
            return AESGCM(self._meter.key).encrypt(self._nonces[:12], mixed, None)[:16]
        return _ecb(self._meter.key, mixed)

    def _opened(self, head: bytes, rest: bytes, gcm: bool) -> bytes:
        """The text of a frame; ValueError for one that is not right."""
        version = self._meter.version.encode()
        if gcm:
            try:
                text = AESGCM(self._key).decrypt(rest[:12], rest[12:-4], head[4:])
            except Exception:
                self._meter.refused += 1
                raise ValueError("another key") from None
            return text[15:] if text[:3] == version else text
        end = -36 if version >= b"3.4" else -8
        body, check = rest[:end], rest[end:-4]
        key = self._key if version >= b"3.4" else None
        if _check(key, head + body) != check or rest[-4:] != b"\x00\x00\xaa\x55":
            self._meter.refused += 1
            raise ValueError("a wrong check")
        if version == b"3.1":
            return body
        if version == b"3.3" and body[:3] == version:
            body = body[15:]
        text = _unpadded(_ecb(self._key, body, decrypt=True))
        if text is None:  # nobody knows what it says
            self._meter.refused += 1
            self.say(10, b"parse data error", 1)
            return b""
        return text[15:] if text[:3] == version else text

    def _packed(self, command: int, text: bytes, code: int) -> bytes:
        version = self._meter.version
        header = b"" if command in _BARE else version.encode() + bytes(12)
        self._sequence += 1
        return_code = code.to_bytes(4, "big")
        if version >= "3.5":
            return _gcm(self._key, self._sequence, command, return_code + header + text)
        if version >= "3.4":
            body = _ecb(self._key, _padded(header + text)) if text else b""
            body = return_code + body
            return _plain(self._key, self._sequence, command, body)
        if version == "3.3":
            text = header + _ecb(self._key, _padded(text)) if text else b""
        elif header:
            body = base64.b64encode(_ecb(self._key, _padded(text)))
            mark = hashlib.md5(b"data=" + body + b"||lpv=3.1||" + self._key).hexdigest()[8:24]
            text = b"3.1" + mark.encode() + body
        return _plain(None, self._sequence, command, return_code + text)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self._socket.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data


def _ecb(key: bytes, data: bytes, decrypt: bool = False) -> bytes:
    cipher = Cipher(algorithms.AES(key), modes.ECB())
    turn = cipher.decryptor() if decrypt else cipher.encryptor()
    return turn.update(data) + turn.finalize()


def _padded(text: bytes) -> bytes:
    count = 16 - len(text) % 16
    return text + bytes([count] * count)


def _unpadded(text: bytes) -> bytes | None:
    count = text[-1] if text else 0
    return text[:-count] if 1 <= count <= 16 and set(text[-count:]) == {count} else None


def _check(key: bytes | None, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256") if key else zlib.crc32(data).to_bytes(4, "big")


def _plain(key: bytes | None, sequence: int, command: int, body: bytes) -> bytes:
    length = len(body) + (36 if key else 8)
    data = struct.pack(">4I", 0x55AA, sequence, command, length) + body
    return data + _check(key, data) + b"\x00\x00\xaa\x55"


def _gcm(key: bytes, sequence: int, command: int, text: bytes) -> bytes:
    head = struct.pack(">IHIII", 0x6699, 0, sequence, command, len(text) + 28)
    nonce = os.urandom(12)
    return head + nonce + AESGCM(key).encrypt(nonce, text, head[4:]) + b"\x00\x00\x99\x66"


def start(entry: dict, speed: int) -> str:
    """Start the device of a reader's entry; its host and port."""
    about = {name: entry.get(name) for name in ("id", "key", "version", "device", "rows")}
    return child.start("tools.sim.tuya", ("--entry", json.dumps(about), "--speed", str(speed)))


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools.sim.tuya", description=__doc__)
    parser.add_argument("--entry", type=json.loads, default={}, help="of a config, as JSON")
    parser.add_argument("--id", default="bf0123456789abcdef01")
    parser.add_argument("--key", default="0123456789abcdef")
    parser.add_argument("--version", default="3.4", choices=("3.1", "3.3", "3.4", "3.5"))
    parser.add_argument("--device", default="pj1103a", choices=sorted(devices.ROWS))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--announce", action="store_true", help="by UDP, on this computer")
    parser.add_argument("--speed", type=int, default=1)
    parser.add_argument("--child", action="store_true", help="end with the parent")
    options = parser.parse_args()
    about = {name: getattr(options, name) for name in ("id", "key", "version", "device")}
    about |= {name: value for name, value in options.entry.items() if value}
    began = time.monotonic()

    def now() -> int:
        return int((time.monotonic() - began) * options.speed)

    try:
        meter = Meter(
            *(about["id"], about["key"], about["version"], about["device"]),
            rows=about.get("rows"),
            port=options.port,
            now=now,
        )
    except (OSError, ValueError, KeyError) as problem:
        sys.exit(str(problem))
    if options.announce:
        meter.announce()
    print(f"127.0.0.1:{meter.port}", flush=True)
    child.until_the_end(options.child)
    meter.close()


if __name__ == "__main__":
    main()
