"""Updates beside set-up's pages: in the LAN with the password, on the access point none."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import esp32
import pytest
import update_helpers as made
import updatefile

from tests.integration.update_rig import Flashed
from tests.servers.real_mosquitto import free_port
from tests.waiting import until
from tools import ROOT

NAME = "ESP32_GENERIC"


class Site(Flashed):
    """Set-up's site of a board that has two slots."""

    def __init__(self, folder: Path, *how: str) -> None:
        self.folder = folder
        self.flash = folder / "flash.bin"
        self.flash.write_bytes(bytes(made.flash_image(made.image(20000, 3))))
        (folder / "update_key.py").write_text(f"MODULUS = {made.MODULUS!r}\n")
        self.host = f"127.0.0.1:{free_port()}"
        about = {"JOULELOG_FLASH": str(self.flash), "PYTHONPATH": str(folder)}
        command = [sys.executable, "-m", "tests.browser.setup_board", NAME, str(folder)]
        self.process = subprocess.Popen(
            [*command, self.host.split(":")[1], *how], cwd=ROOT, env={**os.environ, **about}
        )

    def __enter__(self) -> "Site":
        until(self.answers)
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()

    def answers(self) -> bool:
        assert self.process and self.process.poll() is None
        try:
            self.get("/api/state")
        except urllib.error.HTTPError:  # not for whoever asks
            pass
        except OSError:
            return False
        return True

    def chosen(self) -> int:
        return esp32.chosen(esp32.Flash(str(self.flash)))[0]

    def update(self) -> bytes:
        layout = updatefile.layout(esp32.rows(esp32.Flash(str(self.flash))))
        return made.update(made.image(30000, 5), layout=layout)


def status(site: Site, path: str, data: bytes | None = None, **headers: str) -> int:
    about = {"Origin": f"http://{site.host}", **headers}
    try:
        asked = urllib.request.Request(f"http://{site.host}{path}", data, about)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as answer:
        return answer.code


def test_in_the_lan(tmp_path):
    with Site(tmp_path, "lan", "image") as site:
        data = site.update()
        assert status(site, "/update", data) == 403  # there is no password yet
        headers = site.log_in()
        assert status(site, "/update", data) == 401
        assert status(site, "/update", data, **{**headers, "X-CSRF-Token": "x"}) == 403
        assert status(site, "/update") == 200 and status(site, "/update.js") == 200
        found = site.get("/api/update")
        assert (found["board"], found["problem"], found["next"]) == (NAME, "", "")
        assert site.chosen() == 0
        assert status(site, "/update", data, **headers) == 200
        assert site.chosen() == 1 and site.get("/api/update")["next"] == made.VERSION


def test_as_files(tmp_path):
    with Site(tmp_path, "lan") as site:
        headers = site.log_in()
        assert "as files" in site.get("/api/update")["problem"]
        assert status(site, "/update", site.update(), **headers) == 422
        assert site.chosen() == 0


@pytest.mark.parametrize(
    "how", (("image",), ("image", "only_wifi"), ("image", "lan", "only_wifi"))
)
def test_not_on_the_access_point(how, tmp_path):
    with Site(tmp_path, *how) as site:
        data = site.update()
        for path in ("/update", "/update.js", "/api/update"):
            assert status(site, path) == 404
        assert status(site, "/update", data) == 404
        assert site.chosen() == 0
