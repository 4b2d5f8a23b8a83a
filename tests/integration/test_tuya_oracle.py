"""lib/tuya against tinytuya's packing code, both ways, with random keys, nonces and texts."""

import json
import os
import random

import cryptolib
import pytest
import tinytuya
from tinytuya.core import crypto_helper, message_helper, udp_helper
from tuya import discovery, frame
from tuya.session import VERSIONS, Session

ID = "bf0123456789abcdef01"


class Theirs(tinytuya.Device):
    """tinytuya's client with its frames in our hands: nothing is sent."""

    def __init__(self, version: str, key: bytes) -> None:
        super().__init__(ID, "127.0.0.1", key.decode("latin1"), version=float(version))
        self.local_key = self.real_local_key = key

    def decoded(self, data: bytes, no_retcode: bool = True) -> tuple[int, dict | None]:
        """The command of a frame, and its JSON."""
        hmac_key = self.local_key if self.version >= 3.4 else None
        found = message_helper.unpack_message(data, hmac_key=hmac_key, no_retcode=no_retcode)
        assert found.crc_good
        text = self._decode_payload(found.payload) if found.payload else None
        return found.cmd, text  # type: ignore[return-value]

    def device_says(self, command: int, text: bytes, code: int | None, header: bool) -> bytes:
        """A frame as a device makes it, with its return code."""
        prefix = self.version_header if header else b""
        packed = b"" if code is None else code.to_bytes(4, "big")
        if self.version >= 3.5:
            message = tinytuya.TuyaMessage(
                0, command, code, prefix + text, 0, True, tinytuya.PREFIX_6699_VALUE, True
            )
            return message_helper.pack_message(message, hmac_key=self.local_key)
        cipher = crypto_helper.AESCipher(self.local_key)
        if self.version >= 3.4:
            body = cipher.encrypt(prefix + text, False)
        elif self.version >= 3.3:
            body = prefix + cipher.encrypt(text, False)
        elif header:
            body = b"3.1" + os.urandom(8).hex().encode() + cipher.encrypt(text)
        else:
            body = text
        message = tinytuya.TuyaMessage(0, command, 0, packed + body, 0, True, 0x55AA, False)
        hmac_key = self.local_key if self.version >= 3.4 else None
        return message_helper.pack_message(message, hmac_key=hmac_key)


def run(steps) -> None:
    for _ in steps:
        pass


def some_text() -> dict:
    dps: dict[str, object] = {}
    for _ in range(random.randrange(1, 40)):
        value = random.choice([True, None, "FORWARD", "é\u20ac", random.randrange(-9999, 99999)])
        dps[str(random.randrange(1, 200))] = value
    return {"dps": dps}


def both_ways(version: str, count: int) -> None:
    random.seed(version)
    for number in range(count):
        key = bytes(random.randrange(33, 127) for _ in range(16))
        theirs = Theirs(version, key)
        got: list[bytes] = []
        ours = Session(version, key, ID, cryptolib.aes, os.urandom, got.append)
        run(ours.begin())
        if version >= "3.4":
            agree(ours, theirs)
        assert ours.ready and not ours.taken()
        run(ours.query((), 1700000000 + number))
        command, asked = theirs.decoded(ours.taken())
        assert command == (16 if version >= "3.4" else 10)
        assert asked == ({} if version >= "3.4" else asked) and isinstance(asked, dict)
        if version < "3.4":
            wanted = {"gwId": ID, "devId": ID, "uid": ID, "t": str(1700000000 + number)}
            assert asked == wanted
        run(ours.update([18, 19]))
        assert theirs.decoded(ours.taken()) == (18, {"dpId": [18, 19]}) or version == "3.1"
        ours.device22 = version != "3.1"
        run(ours.query([1, 101], 5))
        if ours.device22:
            who = {"devId": ID, "uid": ID, "t": "5"}
            asked = {**who, "dps": {"1": None, "101": None}}
            assert theirs.decoded(ours.taken()) == (13, asked)
        ours.taken()
        data = b""
        sent = []
        for _ in range(3):
            text = json.dumps(some_text(), ensure_ascii=False).encode()
            sent.append(text)
            command = random.choice((frame.STATUS, frame.QUERY, frame.QUERY_NEW))
            code = random.choice((0, 0, None))
            data += theirs.device_says(command, text, code, command == frame.STATUS)
            if random.random() < 0.2:
                data += os.urandom(random.randrange(30)) + b"\1"
        at = 0
        while at < len(data):
            size = random.choice((1, 16, 256, 4096))
            run(ours.feed(data[at : at + size]))
            at += size
        assert got == sent, (version, number)
        assert (ours.wrong_checks, ours.undecodable, ours.wrong_key) == (0, 0, False)


def agree(ours: Session, theirs: Theirs) -> None:
    """The exchange, with tinytuya's helpers in the place of the device."""
    found = message_helper.unpack_message(ours.taken(), hmac_key=theirs.local_key, no_retcode=True)
    assert found.crc_good and found.cmd == 3
    cipher = crypto_helper.AESCipher(theirs.local_key)
    nonce = found.payload
    if theirs.version < 3.5:
        nonce = cipher.decrypt(nonce, False, decode_text=False)
    assert len(nonce) == 16
    remote = os.urandom(16)
    proof = message_helper.hmac.new(theirs.local_key, nonce, message_helper.sha256).digest()
    run(ours.feed(theirs.device_says(4, remote + proof, 0, False)))
    found = message_helper.unpack_message(ours.taken(), hmac_key=theirs.local_key, no_retcode=True)
    assert found.crc_good and found.cmd == 5
    answer = found.payload
    if theirs.version < 3.5:
        answer = cipher.decrypt(answer, False, decode_text=False)
    proof = message_helper.hmac.new(theirs.local_key, remote, message_helper.sha256).digest()
    assert answer == proof
    # tinytuya is the client as well: the key is the same from either side.
    theirs.local_nonce, theirs.remote_nonce = nonce, remote
    theirs._negotiate_session_key_generate_finalize()


@pytest.mark.parametrize("version", VERSIONS)
def test_both_ways(version):
    both_ways(version, 40)


@pytest.mark.long
@pytest.mark.parametrize("version", VERSIONS)
def test_both_ways_many(version):
    both_ways(version, 2500)


def test_announcements():
    about = {"ip": "192.0.2.7", "gwId": ID, "active": 2, "version": "3.4", "productKey": "key1"}
    text = json.dumps(about).encode()
    key = udp_helper.udpkey
    wanted = (ID, "192.0.2.7", "3.4", "key1")
    cipher = crypto_helper.AESCipher(key)
    for code in (b"", bytes(4)):
        for body in (text, cipher.encrypt(text, False)):
            message = tinytuya.TuyaMessage(0, 0x13, 0, code + body, 0, True, 0x55AA, False)
            data = message_helper.pack_message(message)
            assert discovery.parse(data, cryptolib.aes) == wanted
            if code:
                assert json.loads(udp_helper.decrypt_udp(data)) == about
    for code in (None, 0):
        message = tinytuya.TuyaMessage(
            0, 0x13, code, text, 0, True, tinytuya.PREFIX_6699_VALUE, True
        )
        data = message_helper.pack_message(message, hmac_key=key)
        assert discovery.parse(data, cryptolib.aes) == wanted
        assert json.loads(udp_helper.decrypt_udp(data)) == about
    assert discovery.parse(cipher.encrypt(text, False), cryptolib.aes) == wanted
