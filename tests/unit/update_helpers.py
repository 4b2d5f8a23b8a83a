"""Updates for tests: heads and signatures made by numbers alone, without lib/updatefile.

    data = update(application)               # a whole file, signed with the key of the tests
    data = head(application, board="OTHER")  # 1024 bytes

The key signs nothing but what tests make.
"""

import hashlib
import struct

BITS = 3072
VERSION = "0.2.0"
MADE = "2026-11-20T10:00:00Z"
BOARD = "ESP32_GENERIC"
CHIP = "esp32"
LAYOUT = "0badcafe"

_N = (
    "f26ac3185e04f65246c11a36167c920438facd193043094a670b4034dd9c03f98d11bf5972e534c4058a"
    "e2e59dd4ea950ea272b7a531df5c7557cc037bf86e0ee777978b86e26bc05521ea2f91d40990d7cf6f81"
    "19318377f413c850068789e03160f8736a5524df8162e14d3a57003d9df8c06b54eff46284223db12e26"
    "ea507d9129c34861365dc8a13b262388b036c55d8f67b76a7a4eb6a1863dd43d17180060151e4825c385"
    "4de65b5d486f4a5b69e17ec70af57fa22cf035e67733f9aae65344a4e0002c0cb31e1bebff74c7837cea"
    "99667ad7320087c319bd16e6b69b7e5c70b6c6a7dad647a7b3afd67cc3776ad83bb10ea1f2e951b73caa"
    "c1b170d7b3d24abf81b01bfb2a5b65d6b274d689f7d594e5123aafa795e61ec3e90fbea373f2306517cc"
    "461cd88abec9c0d499f89e61660ab6ff7686cbf9d94cea1c757a30268d2cc8e05f85d4130724c5060663"
    "381541550729b88ec50176f30ed0a30b686d778e879d516ac21c71525aae0c4e108bed6f76841468ef7d"
    "af7f0ea00b6f"
)
_D = (
    "5daa8fd079ff8bd7959c264f10d8382926850dbb7650e8a595741cee7054489ae37da08464e71840c76d"
    "772746994ebca2677550ed24fc8b82919674203209007c4252cd6824538300c1f67543f0fc733957dedb"
    "308b57a3812d25a07a2d63c23b021f6da4ffda1bfc27e32b0e6830611e894f7c09592001f2d1322a244d"
    "880aeac1acb3d6632d79063cfa184df19238cf80cb98c51f80bbaa487610acd19ffb37a5e87307688408"
    "1d65ed167996fad1a0732f23a461e05b9ee67fc51978fd35e1730f0c26ca577a8d11b5f03a9968cb806b"
    "3655a159e9f208b3b4d77478cd6a912920d0a233caf26408eeeb1f9121ca38347f8992302dfd687528d5"
    "213e8640c1eef393553c669f95c59529edc79adf99cc49d0449777b2fd991c8240417117625851611b51"
    "700b95904eb7ba89f92e657289922ce67f4411f4c2f0601a894aafec3ff979d0944a9c35b2168d4e865e"
    "35384672ae71bf5a430934d6561628d629782487392e949194fff3a4a027ea13aa1cbe53eb68ce9110c6"
    "0f346fe8abfd"
)
MODULUS = int(_N, 16).to_bytes(384, "big")
_INFO = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"


def padded(digest: bytes, filling: int = 330) -> bytes:
    return b"\x00\x01" + b"\xff" * filling + b"\x00" + _INFO + digest


def power(base: int) -> bytes:
    """What the private key makes of a number."""
    return pow(base, int(_D, 16), int(_N, 16)).to_bytes(384, "big")


def sign(data: bytes) -> bytes:
    return power(int.from_bytes(padded(hashlib.sha256(data).digest()), "big"))


def head_unsigned(application, board=BOARD, chip=CHIP, layout=LAYOUT, version=VERSION, **more):
    made = more.get("made", MADE)
    texts = ((board, 32), (chip, 16), (layout, 32), (version, 32), (made, 32))
    size = more.get("size", len(application))
    data = b"JLUPDATE" + struct.pack("<II", more.get("format", 1), size)
    data += more.get("digest") or hashlib.sha256(application).digest()
    for text, length in texts:
        data += text.encode() + bytes(length - len(text))
    return data + bytes(640 - len(data))


def head(application, **about) -> bytes:
    data = head_unsigned(application, **about)
    return data + sign(data)


def update(application, **about) -> bytes:
    return head(application, **about) + application
