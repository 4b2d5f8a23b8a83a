"""The module `mqtt_as` for CPython: what the firmware's subclass uses of it, on PyPI's `aiomqtt`.

    class Client(mqtt_as.MQTTClient): ...      # joulelog/net/mqtt_client.py
    client = Client(...)
    await client.connect()                     # OSError, as from mqtt_as

mqtt_as 0.8.3 talks to a socket, this to aiomqtt: packets, TLS and pings are aiomqtt's business, so
the overrides of reading and writing are never called. A message is started with `_publish` under
`lock`, and `kill_pid` tells its end, as there. Reconnecting is left to the subclass, which does it
on a board too. The pauses in aiomqtt are real time, whatever the clock's speed.
"""

import asyncio
import contextlib
import logging
import math
import re
import socket

import aiomqtt

VERSION = (0, 8, 3)

config = {
    "client_id": b"",
    "server": None,
    "port": 0,
    "user": "",
    "password": "",
    "keepalive": 60,
    "ssl": False,
    "ssl_params": {},
    "response_time": 10,
    "clean": True,
    "will": None,
    "queue_len": 0,
}

# What fails, the sink says; the library's own lines, under the name "mqtt" that a sink may have,
# would say it again, and its level would hide the sink's.
_silent = logging.getLogger("aiomqtt")
_silent.setLevel(logging.CRITICAL)
logging.getLogger("mqtt").setLevel(logging.NOTSET)

# aiomqtt gives MQTT 3.1.1's refusals the numbers of MQTT 5.
_PROTOCOL_ERROR = 130
_CONNACK_OF = {132: 1, 133: 2, 134: 4, 135: 5, 136: 3}


class _Client(aiomqtt.Client):
    """One that is told of a broker that cuts the connection, or speaks another version."""

    def _on_disconnect(self, client, userdata, flags, reason_code, properties=None) -> None:
        aiomqtt.Client._on_disconnect(self, client, userdata, flags, reason_code, properties)
        if not self._connected.done():
            refused = reason_code.value == _PROTOCOL_ERROR
            text = "CONNACK reason code 0x1" if refused else "Connection closed by host"
            self._connected.set_exception(aiomqtt.MqttError(text))


class MQTTClient:
    """One connection, made by connect() and lost by _reconnect()."""

    def __init__(self, config: dict) -> None:
        self.server = config["server"]
        self.port = config["port"] or (8883 if config["ssl"] else 1883)
        self.up = asyncio.Event()
        self.down = asyncio.Event()
        self.lock = asyncio.Lock()
        self.newpid = _packet_ids()
        self.rcv_pids: set[int] = set()  # packets that are not acknowledged
        self._config = config
        self._ssl_params = config["ssl_params"]
        self._response_time = config["response_time"] * 1000
        will = config["will"]
        self._lw_topic, _, self._lw_retain, _ = will or (False, b"", False, 0)
        self._client: aiomqtt.Client | None = None
        self._tasks: set[asyncio.Task] = set()
        self._in_connect = False
        self._isconnected = False
        self._has_connected = False

    async def connect(self, *, quick: bool = False) -> None:
        """Connect once; OSError where that fails, with the text that mqtt_as has for a refusal."""
        if not self._has_connected:
            await self.wifi_connect(quick)
        self._in_connect = True
        try:
            client = self._new_client()
            self._client = client
            await client.__aenter__()
        except aiomqtt.MqttError as error:
            self._close()
            raise _as_os_error(error) from None
        finally:
            self._in_connect = False
        self.rcv_pids.clear()
        self._isconnected = True
        self._has_connected = True
        self._start(self._listen(client))
        self.up.set()

    async def disconnect(self) -> None:
        """Say goodbye: the broker then forgets the last will."""
        client, self._client = self._client, None
        self._isconnected = False
        self._stop_tasks()
        if client:
            with contextlib.suppress(aiomqtt.MqttError):
                await client.__aexit__(None, None, None)

    async def wifi_connect(self, quick: bool = False) -> None:
        """A computer's network is somebody else's business."""

    def isconnected(self) -> bool:
        """True from the start of connect() to the loss of the connection."""
        return self._in_connect or self._isconnected

    def kill_pid(self, pid: int, msg: str) -> None:
        """A message was acknowledged."""
        if pid not in self.rcv_pids:
            raise OSError(-1, f"Invalid pid in {msg} packet")
        self.rcv_pids.discard(pid)

    def _reconnect(self) -> None:
        if self._isconnected:
            self._isconnected = False
            self._stop_tasks()
            self._close()
            self.down.set()

    def _close(self) -> None:
        """Cut the connection without a goodbye; aiomqtt has no call for that."""
        client, self._client = self._client, None
        wire = client._client.socket() if client else None
        if wire is not None:
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)

    async def _publish(self, topic, msg, retain, qos, dup, pid, properties=None) -> None:
        client = self._client
        if client is None:
            raise OSError(-1, "not connected")
        self._start(self._confirm(client, topic.decode(), bytes(msg), retain, qos, pid))
        await asyncio.sleep(0)  # now it is written

    async def _confirm(self, client, topic: str, payload: bytes, retain, qos, pid: int) -> None:
        try:
            await client.publish(topic, payload, qos, bool(retain), timeout=math.inf)
            if client is self._client:
                self.kill_pid(pid, "PUBACK")
        except (aiomqtt.MqttError, OSError):
            if client is self._client:
                self._reconnect()

    async def _listen(self, client) -> None:
        """Notice the end of the connection."""
        with contextlib.suppress(aiomqtt.MqttError):
            async for _ in client.messages:
                pass
        if client is self._client:
            self._reconnect()

    def _start(self, coroutine) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _stop_tasks(self) -> None:
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()

    def _new_client(self) -> _Client:
        config = self._config
        will = config["will"]
        context = self._ssl_params.get("context")
        return _Client(
            self.server,
            self.port,
            logger=_silent,
            username=_text(config["user"]) or None,
            password=_text(config["password"]) or None,
            identifier=_text(config["client_id"]),
            will=will and aiomqtt.Will(_text(will[0]), will[1], will[3], will[2]),
            clean_session=config["clean"],
            keepalive=config["keepalive"],
            timeout=config["response_time"],
            tls_context=context and _Named(context, self._ssl_params["server_hostname"]),
        )


class _Named:
    """A TLS context that checks the name in the config, while aiomqtt only knows the address."""

    def __init__(self, context, name: str) -> None:
        self._context = context
        self._name = name
        self.check_hostname = context.check_hostname

    def wrap_socket(self, sock, server_hostname=None, **options):
        return self._context.wrap_socket(sock, server_hostname=self._name, **options)


def _packet_ids():
    while True:
        yield from range(1, 65536)


def _text(value) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _as_os_error(error: aiomqtt.MqttError) -> OSError:
    reason = getattr(error, "rc", None)
    number = getattr(reason, "value", reason)
    if number in _CONNACK_OF:
        return OSError(-1, "CONNACK reason code 0x%x" % _CONNACK_OF[number])
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        reason = text.split("failed: ")[-1].split(" (_ssl")[0]
        return OSError(-1, "certificate not accepted: " + reason)
    if "[SSL" in text:
        return OSError(-1, "TLS failed: " + text)
    if "timed out" in text:
        return OSError(-1, "no answer")
    found = re.match(r"\[Errno (\d+)\]", text)  # all that aiomqtt keeps of an OSError
    return OSError(int(found[1]), text) if found else OSError(-1, text)
