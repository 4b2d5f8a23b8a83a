"""The file that a board takes over the air: an image's application behind a signed head.

    key = updates.read_key(Path("~/.joulelog/update.pem"))        # or KeyProblem
    data = updates.made(image, "ESP32_GENERIC", key)              # or ImageError
    updates.write_module(key, Path("build/key"))                  # update_key.py, for the image

The head is that of lib/updatefile. What it says is what the image says of itself, and the
partition table that is in it. `make key` makes a key: tools/images/key.py.
"""

import hashlib
import struct
from pathlib import Path

import updatefile
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from updatefile.rsa import BYTES

from tools import boards
from tools.images import espimage

BITS = 8 * BYTES
EXPONENT = 65537


class KeyProblem(Exception):
    """What is wrong with a key, and what to do."""


def read_key(path: Path) -> rsa.RSAPrivateKey:
    """The private key in a PEM file."""
    try:
        data = path.expanduser().read_bytes()
    except OSError as problem:
        raise KeyProblem(f"KEY={path}: {problem.strerror}; make key makes one") from None
    try:
        key = serialization.load_pem_private_key(data, None)
    except (ValueError, TypeError):
        raise KeyProblem(f"KEY={path} is no private key without a passphrase (PEM)") from None
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size != BITS:
        raise KeyProblem(f"KEY={path} is no RSA key of {BITS} bits; make key makes one")
    if key.public_key().public_numbers().e != EXPONENT:
        raise KeyProblem(f"KEY={path} has another exponent than {EXPONENT}; make key makes one")
    return key


def modulus(key: rsa.RSAPrivateKey) -> bytes:
    """The public half, as a board has it."""
    return key.public_key().public_numbers().n.to_bytes(BYTES, "big")


def fingerprint(key: rsa.RSAPrivateKey) -> str:
    """By which people tell keys apart."""
    return hashlib.sha256(modulus(key)).hexdigest()[:16]


def write_module(key: rsa.RSAPrivateKey, folder: Path) -> Path:
    """Write the module update_key for an image; its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = '"""The public key that updates of this image are signed with."""\n\n'
    (folder / "update_key.py").write_text(text + f"MODULUS = {modulus(key)!r}\n")
    return folder


def layout(table: bytes) -> str:
    """lib/updatefile's text for a partition table as it lies in flash."""
    rows = []
    for at in range(0, len(table), 32):
        if table[at : at + 2] != espimage.TABLE_MAGIC:
            break
        kind, subtype, address, size, label = struct.unpack_from("<BBII16s", table, at + 2)
        rows.append((kind, subtype, address, size, label.rstrip(b"\0").decode()))
    return updatefile.layout(rows)


def made(image: bytes, board: str, key: rsa.RSAPrivateKey) -> bytes:
    """The update that brings this image's application; ImageError says why there is none."""
    told = boards.facts(boards.FOLDERS / board)
    if told["chip"] == "esp8266":
        raise espimage.ImageError("is for an ESP8266, which takes no update over the air")
    offset = int(told["micropython"]["offset"], 0)
    whole = espimage.read(image, offset, told["chip"])
    says = espimage.told(image)
    if says is None or says.board != board:
        raise espimage.ImageError(f"does not say that it is for {board}")
    if modulus(key) not in image:
        raise espimage.ImageError("was built with another key, or none: make firmware KEY=…")
    slots = [part for part in whole.table if part.subtype.startswith("ota_")]
    if len(slots) < 2:
        raise espimage.ImageError("has no second slot: nothing can be updated")
    start = slots[0].offset - offset
    application = image[start : start + whole.size]
    table = image[espimage.TABLE - offset :]
    about = (told["chip"], layout(table), says.version, says.date)
    return signed(application, board, *about, key=key) + application


def signed(application: bytes, board: str, *about: str, key: rsa.RSAPrivateKey) -> bytes:
    """The head; about: chip, layout, version, when it was built."""
    data = b"JLUPDATE" + struct.pack("<II", 1, len(application))
    data += hashlib.sha256(application).digest()
    for text, size in zip((board, *about), (32, 16, 32, 32, 32), strict=True):
        data += text.encode().ljust(size, b"\0")
    data = data.ljust(updatefile.HEAD - BYTES, b"\0")
    head = data + key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    updatefile.Head(head)  # raises what the board would say
    return head
