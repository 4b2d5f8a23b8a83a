"""Make the key that signs updates: `make key`.

    make key                       # ~/.joulelog/update.pem
    make key KEY=/media/stick/update.pem

An RSA key of 3,072 bits, readable for its owner alone. It is never written over another file, nor
into this folder, from where it would get into archives and to other people.
"""

import argparse
import os
import sys
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tools import ROOT
from tools.images import updates

PLACE = Path("~/.joulelog/update.pem")


def make(path: Path) -> rsa.RSAPrivateKey:
    """Write a new key there; KeyProblem where it must not be."""
    path = path.expanduser().resolve()
    if path.is_relative_to(ROOT):
        raise updates.KeyProblem(f"KEY={path} lies in this folder: take a place outside of it")
    if path.exists():
        raise updates.KeyProblem(f"{path} is there already, and boards may need it: it stays")
    key = rsa.generate_private_key(updates.EXPONENT, updates.BITS)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
    except OSError as problem:
        raise updates.KeyProblem(f"{path} cannot be written: {problem.strerror}") from None
    return key


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--key", type=Path, default=PLACE)
    given = parser.parse_args(arguments)
    try:
        key = make(given.key)
    except updates.KeyProblem as problem:
        print(f"key: {problem}", file=sys.stderr)
        return 1
    print(f"key {updates.fingerprint(key)}: {given.key}. Keep a copy, and keep it to yourself.")
    print(f"make firmware BOARD=… KEY={given.key} builds an image that takes what it signs")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
