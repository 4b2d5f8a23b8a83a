"""make key, and the updates that make firmware and make dist put beside their images."""

import subprocess
import sys
from pathlib import Path

import esp32
import pytest
import updatefile
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from joulelog.update import slots
from tests import esp_images
from tools import ROOT
from tools.images import dist, espimage, key, releases, stage, updates
from tools.sim import bootloader

BOARD = "ESP32_GENERIC"


def pem(made) -> bytes:
    return made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.fixture(scope="module")
def signs(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("key") / "home/update.pem"
    done = subprocess.run(
        [sys.executable, "-m", "tools.images.key", "--key", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert updates.fingerprint(updates.read_key(path)) in done.stdout
    return path


def image(board: str, private) -> bytes:
    """What make firmware would build with this key."""
    chip = "esp32c3" if board.endswith("C3") else "esp32"
    text = esp_images.says(board) + b"\0" + (updates.modulus(private) if private else b"")
    return esp_images.image_of(board, esp_images.application(chip, text, 200_000))


def test_a_key_is_the_owners_alone_and_stays(signs):
    assert signs.stat().st_mode & 0o777 == 0o600
    assert signs.parent.stat().st_mode & 0o077 == 0
    before = signs.read_bytes()
    with pytest.raises(updates.KeyProblem, match="there already"):
        key.make(signs)
    assert signs.read_bytes() == before
    for inside in (ROOT / "update.pem", ROOT / "build/../x/update.pem"):
        with pytest.raises(updates.KeyProblem, match="outside"):
            key.make(inside)
        assert not inside.exists()


def test_what_is_no_key(tmp_path):
    path = tmp_path / "key.pem"
    with pytest.raises(updates.KeyProblem, match="make key"):
        updates.read_key(path)
    for data, words in (
        (b"nothing", "no private key"),
        (pem(rsa.generate_private_key(65537, 2048)), "3072 bits"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "3072 bits"),
        (pem(rsa.generate_private_key(3, 3072)), "exponent"),
    ):
        path.write_bytes(data)
        with pytest.raises(updates.KeyProblem, match=words):
            updates.read_key(path)


@pytest.mark.parametrize("board", (BOARD, "ESP32_GENERIC_C3"))
def test_the_board_takes_what_is_made_for_it(board, signs, tmp_path):
    private = updates.read_key(signs)
    whole = image(board, private)
    data = updates.made(whole, board, private)
    head = updatefile.Head(data[: updatefile.HEAD])
    offset = 0 if board.endswith("C3") else 0x1000
    flash = bootloader.Chip((b"\xff" * offset + whole).ljust(0x400000, b"\xff"))
    esp32.flash = flash
    try:
        slot = esp32.Partition("ota_1")
        chip = "esp32c3" if board.endswith("C3") else "esp32"
        head.check(board, chip, slots.layout(slot), slot.info()[3])
    finally:
        esp32.flash = None
    namespace: dict = {}
    folder = updates.write_module(private, tmp_path / "key")
    exec((folder / "update_key.py").read_text(), namespace)
    signature = head.signature(namespace["MODULUS"])
    while not signature.step():
        pass
    assert signature.good
    assert (head.version, head.made) == (stage.version(), esp_images.DATE)
    application = data[updatefile.HEAD :]
    assert application == whole[0x10000 - offset :] and len(application) == head.size


def test_no_update_of_what_would_not_take_the_next_one(signs):
    private = updates.read_key(signs)
    other = rsa.generate_private_key(65537, 3072)
    for whole, board, words in (
        (image(BOARD, None), BOARD, "another key, or none"),
        (image(BOARD, other), BOARD, "another key, or none"),
        (image(BOARD, private), "M5STICKC_PLUS", "does not say"),
        (esp_images.image_of("WEMOS_D1_MINI"), "WEMOS_D1_MINI", "ESP8266"),
    ):
        with pytest.raises(espimage.ImageError, match=words):
            updates.made(whole, board, private)


def test_dist_has_them_beside_the_images(signs):
    private = updates.read_key(signs)
    images = {}
    for board in releases.image_boards():
        chip = next(c for c in esp_images.CHIPS if esp_images_chip(board) == c)
        text = esp_images.says(board) + b"\0" + updates.modulus(private)
        app = None if chip == "esp8266" else esp_images.application(chip, text, 100_000)
        images[releases.image_name(board)] = esp_images.image_of(board, app)
    found = dist.update_files(images, private)
    assert len(found) == sum(esp_images_chip(b) != "esp8266" for b in releases.image_boards())
    for name, data in found.items():
        assert name.endswith(".update") and data[:8] == b"JLUPDATE"
    images[releases.image_name(BOARD)] = image(BOARD, None)
    with pytest.raises(dist.WrongImages) as caught:
        dist.update_files(images, private)
    assert len(caught.value.args[0]) == 1 and BOARD in caught.value.args[0][0]


def esp_images_chip(board: str) -> str:
    return esp_images.boards.facts(esp_images.boards.FOLDERS / board)["chip"]
