"""What Tuya devices announce by UDP, every few seconds: who they are, and where.

    parse(datagram, cryptolib.aes)    # ("bf01…", "192.0.2.7", "3.4", "keyjup78v54myhan"), or None

Devices of version 3.1 announce themselves without encryption to port 6666, later ones to 6667
under a key that is the same for all (the MD5 of "yGAdlopoPVldABfn"): AES-ECB, and AES-GCM from 3.5
on, which goes to 7000 as well. Port 6668 by TCP is where they answer. As tinytuya has found it.
"""

import binascii

from crc32 import text as crc32_of
from jsonpick.picker import Picker

from . import crypt, frame

PORTS = (6666, 6667, 7000)
PORT = 6668  # of TCP

_KEY = b"l\x1e\xc8\xe2\xbb\x9b\xb5\x9a\xb5\x0b\r\xafd\x9bA\n"
_WANTED = ("gwId", "ip", "version", "productKey")
_MOST = 512  # bytes
_PIECE = 64  # of JSON in a step


def parse(datagram: bytes, aes) -> tuple | None:
    """(device id, address, version, product key), each a text; None: it announces no device.

    aes(key, 1) is its ECB mode, as cryptolib has it.
    """
    found: list = []
    for _ in steps(datagram, aes, found):
        pass
    return found[0] if found else None


def steps(datagram: bytes, aes, found: list):
    """parse() for a loop that may not stand so long: what is announced is added to `found`."""
    if len(datagram) > _MOST:
        return
    text = yield from _text(datagram, aes)
    if text is None:
        return
    pick = Picker(_WANTED)
    text = text.rstrip(b"\0")  # the maker's app sends some
    for at in range(0, len(text), _PIECE):
        yield
        pick.feed(text[at : at + _PIECE])
    if not pick.end():
        return
    told = []
    for value in pick.texts:
        if value is None or value[:1] != b'"':
            if len(told) < 3:
                return
            value = b'"'
        try:
            told.append(value[1:].decode())
        except UnicodeError:
            return
    found.append(tuple(told))


def _text(datagram: bytes, aes):
    """What it says; None where it is damaged, or no announcement."""
    if datagram[:4] == frame.PLAIN:
        if not _is_one(datagram, frame.PLAIN_END):
            return None
        if binascii.unhexlify(crc32_of(datagram[:-8])) != datagram[-8:-4]:
            return None
        body = datagram[frame.HEAD : -8]
        if body[:3] == b"\0\0\0":  # a return code
            body = body[4:]
        return body if body[:1] == b"{" else _decrypted(body, aes)
    if datagram[: len(frame.GCM)] == frame.GCM:
        if not _is_one(datagram, frame.GCM_END):
            return None
        return (yield from _opened(datagram, aes))
    return datagram if datagram[:1] == b"{" else _decrypted(datagram, aes)


def _is_one(datagram: bytes, end: bytes) -> bool:
    return frame.size_of(datagram) == len(datagram) and datagram[-4:] == end


def _decrypted(body: bytes, aes) -> bytes | None:
    if not body or len(body) % 16:
        return None
    return crypt.unpadded(aes(_KEY, 1).decrypt(body))


def _opened(datagram: bytes, aes):
    from aes_gcm import GcmStream

    begin = frame.GCM_HEAD + frame.NONCE
    body = bytearray(datagram[begin : -frame.TAG - 4])
    nonce = datagram[frame.GCM_HEAD : begin]
    stream = GcmStream(aes(_KEY, 1).encrypt, nonce, datagram[4 : frame.GCM_HEAD])
    yield from crypt.in_steps(stream.decrypt, body)
    yield from stream.finish()
    if not stream.fits(datagram[-frame.TAG - 4 : -4]):
        return None
    return bytes(body[4:] if body[:3] == b"\0\0\0" else body)
