"""The installer page: a static folder for any web space, and `make installer` on this computer.

    installer.write(Path("dist/web"), {"ESP32_GENERIC_C3": image})     # one image of each board
    python3 -m tools.images.installer --port 8070 [--output build/installer] [--images …]

The page (web/installer/) is filled with what boards/ knows: names, wiring, notes, commands. ESP
Web Tools, as npm has it built, writes the image over Web Serial and sets up the Wi-Fi by Improv;
it is copied with the licences of all that it holds. The page asks no other host: its own policy
(Content-Security-Policy) allows none.

An image's files are no part of what is written, so an update keeps them. An ESP8266 learns the
size of its flash from the image's header, and with it where its files are: the board's size is
written there, as `make micropython` does it.

Exit status 1: nothing to serve. 3: cannot be made here, and why.
"""

import argparse
import functools
import html
import http.server
import importlib.metadata
import json
import re
import shutil
import sys
import types
from collections.abc import Iterator
from pathlib import Path

from tools import ROOT, boards
from tools.host.cache import Unavailable
from tools.images import espimage, licences, npm, releases, stage

SOURCES = ROOT / "web/installer"
# As ESP Web Tools names the chips.
FAMILIES = {
    "esp32": "ESP32",
    "esp32s2": "ESP32-S2",
    "esp32s3": "ESP32-S3",
    "esp32c3": "ESP32-C3",
    "esp8266": "ESP8266",
}
_IMPROV_S = 20  # from the reset behind the first installation: it formats its files first
_FIRST = """\
What this page and the images in it contain, and under which licences.

"""
_PLACES = ("esp-web-tools", "index.html", "boards", "images")


def write(output: Path, images: dict[str, bytes], texts: dict[str, str]) -> None:
    """Make the folder, or replace what is ours in it; images by board, and their licences."""
    tools = npm.package("esp-web-tools") / "dist/web"
    texts = {**licence_texts(), **texts}
    for name in _PLACES:
        place = output / name
        shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
    (output / "esp-web-tools").mkdir(parents=True)
    for path in sorted(tools.glob("*.js")):
        shutil.copyfile(path, output / "esp-web-tools" / path.name)
    for path in sorted(SOURCES.iterdir()):
        if path.name != "index.html":
            shutil.copyfile(path, output / path.name)
    (output / "boards").mkdir()
    (output / "images").mkdir()
    for board, image in sorted(images.items()):
        (output / "images" / f"{board}.bin").write_bytes(with_flash_size(board, image))
        told = json.dumps(manifest(board, image), indent=2) + "\n"
        (output / "boards" / f"{board}.json").write_text(told)
    (output / "index.html").write_text(page(images))
    (output / "LICENCES.txt").write_text(licences.written(texts, _FIRST))


def manifest(board: str, image: bytes) -> dict:
    """What ESP Web Tools is to write, and where."""
    told = boards.facts(boards.FOLDERS / board)
    offset = int(told["micropython"]["offset"], 0)
    return {
        "name": "JouleLog",  # as Improv tells it: then it is an update, and nothing is erased
        "version": version_of(image),
        "new_install_prompt_erase": True,
        "new_install_improv_wait_time": _IMPROV_S,
        "builds": [
            {
                "chipFamily": FAMILIES[told["chip"]],
                "parts": [{"path": f"../images/{board}.bin", "offset": offset}],
            }
        ],
    }


def version_of(image: bytes) -> str:
    """Version and date: two builds of one version are two, and the second is an update."""
    told = espimage.told(image)
    return f"{told.version} ({told.date[:10]})" if told else stage.version()


def with_flash_size(board: str, image: bytes) -> bytes:
    """An ESP8266's image with the size of the board's flash in its header."""
    told = boards.facts(boards.FOLDERS / board)
    if told["chip"] != "esp8266":
        return image
    return espimage.with_flash_size_8266(image, told["flash"]["kb"])


def licence_texts() -> dict[str, str]:
    """{part: where it is from, and the words of its licence} of the page's programs."""
    rows = licences.table()["installer"]
    places = {name: npm.package(name) for name in npm.pins()}
    own = importlib.metadata.files("esptool") or []
    found = [path for path in own if path.name == "LICENSE"]
    if found:
        places["esptool"] = Path(str(found[0].locate())).parent
    texts, problems = licences.collect_parts(rows, places)
    if problems:
        raise Unavailable("; ".join(problems))
    said = {row["what"]: f"{row['licence']}\n{row['where']}" for row in rows}
    return {what: f"{said[what]}\n\n{text}" for what, text in texts.items()}


def found_images(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """({board: image}, what is wrong) of a folder: of this version, of any date."""
    found: dict[str, bytes] = {}
    problems = []
    for board in releases.image_boards():
        path = folder / releases.image_name(board)
        if not path.is_file():
            continue
        data = path.read_bytes()
        told = boards.facts(boards.FOLDERS / board)
        try:
            whole = espimage.read(data, int(told["micropython"]["offset"], 0), told["chip"])
        except espimage.ImageError as problem:
            problems.append(f"{path.name} {problem}")
            continue
        says = espimage.told(data)
        if whole.chip != told["chip"] or says is None or says.board != board:
            problems.append(f"{path.name} is no image for {board}: make firmware BOARD={board}")
            continue
        found[board] = data
    return found, problems


# The page


def page(images: dict[str, bytes]) -> str:
    """index.html."""
    names = releases.image_boards()
    preview = f"This is a preview: {releases.PREVIEW}" if releases.PREVIEW else ""
    text = (SOURCES / "index.html").read_text()
    for mark, filling in {
        "{{version}}": html.escape(stage.version()),
        "{{preview}}": _paragraph(preview, "note"),
        "{{choices}}": "\n".join(_choice(name, images) for name in names),
        "{{boards}}": "\n".join(_board(name, images.get(name)) for name in names),
    }.items():
        text = text.replace(mark, filling)
    return text


def _paragraph(text: str, kind: str = "") -> str:
    """Text of people as HTML; what stands between backticks is code."""
    words = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))
    shown = f' class="{kind}"' if kind else ""
    return f"<p{shown}>{words[:1].upper()}{words[1:]}</p>" if text else ""


def _choice(name: str, images: dict[str, bytes]) -> str:
    told = boards.facts(boards.FOLDERS / name)
    missing = "" if name in images else " <span>no image here</span>"
    family = FAMILIES[told["chip"]]
    family = "any module with this chip" if family == told["title"] else family
    title = html.escape(told["title"])
    return f'<li><a href="#{name}">{title}<small>{family}{missing}</small></a></li>'


def _board(name: str, image: bytes | None) -> str:
    """The section of a board: wiring, installation, commands."""
    folder = boards.FOLDERS / name
    told, module = boards.facts(folder), boards.load(folder)
    rows = "\n".join(
        f'<tr><th scope="row">{what}</th><td>{pins}</td></tr>' for what, pins in wiring(module)
    )
    notes = "".join(f"<li>{_paragraph(note)[3:-4]}</li>" for note in told["notes"])
    return f"""\
<section class="board" id="{name}" aria-labelledby="{name}-title">
<h2 id="{name}-title" tabindex="-1">{html.escape(told["title"])}</h2>
<h3>Wiring</h3>
<table>
<thead><tr><th scope="col">what</th><th scope="col">pin</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
<ul class="notes">{notes}</ul>
<h3>Install</h3>
{_install(name, image)}
</section>"""


def wiring(board: types.ModuleType) -> Iterator[tuple[str, str]]:
    """(What, pins) of all that a board has for meters and people."""
    for number, pins in board.UARTS.items():
        yield (
            f"meter on UART {number}",
            f"receives (RX) on GPIO {pins['rx']}, sends (TX) on GPIO {pins['tx']}",
        )
    if board.REQUEST is not None:
        yield "data request of a P1 meter", f"GPIO {board.REQUEST}"
    if board.LED:
        yield "LED", f"GPIO {board.LED['pin']}"
    if board.BUTTON:
        yield "button", f"GPIO {board.BUTTON['pin']}"
    if board.SD:
        pins = ", ".join(f"{key.upper()} {pin}" for key, pin in board.SD.items())
        yield "SD card", f"GPIO: {pins}"


def _install(name: str, image: bytes | None) -> str:
    if image is None:
        return (
            '<p class="note missing">No image for this board is in this build:'
            f" <code>make firmware BOARD={name}</code> builds it.</p>"
        )
    told = boards.facts(boards.FOLDERS / name)
    offset = told["micropython"]["offset"]
    file = f"images/{name}.bin"
    return f"""\
<esp-web-install-button manifest="boards/{name}.json">
<button slot="activate" class="install">Install JouleLog {version_of(image)}</button>
<p slot="unsupported" class="note">This browser cannot write to a board: it has no Web Serial. \
Take Chrome or Edge on a computer, or the commands below.</p>
<p slot="not-allowed" class="note">A browser writes to a board only from a page that came by \
https, or from this computer (localhost). The commands below need neither.</p>
</esp-web-install-button>
<p class="by-button">Plug the board in with a cable that carries data, press the button and \
choose the board's port. If you are asked whether to erase: yes for a new board; no where \
JouleLog is on it, then settings and readings stay. Then choose your Wi-Fi, and the board tells \
its address.</p>
{_paragraph("USB: " + told["usb"] + ".")}
{_paragraph("If it cannot connect, bring it into download mode: " + told["download_mode"] + ".")}
<details open>
<summary>The same by commands, in any browser</summary>
<p>In JouleLog's folder, with this <a href="{file}" download>image</a> (the files stay; without \
<code>KEEP=1</code> all is erased):</p>
<pre><code>make micropython PORT=/dev/ttyUSB0 BOARD={name} IMAGE={name}.bin KEEP=1</code></pre>
<p>Without that folder, with Python:</p>
<pre><code>pip install esptool
esptool --chip {told["chip"]} --port PORT write-flash {offset} {name}.bin</code></pre>
</details>"""


def serve(folder: Path, port: int) -> None:
    """Serve it to this computer alone until Ctrl-C."""
    handler = functools.partial(_Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"http://localhost:{server.server_address[1]}/   (Ctrl-C ends it)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


class _Handler(http.server.SimpleHTTPRequestHandler):
    # Windows may have learnt other types, and a browser then takes no module.
    extensions_map = {  # noqa: RUF012
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".json": "application/json",
    }

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")  # the next build is another page
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nobody asked for it."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--port", type=int, default=8070, help="0: any that is free")
    parser.add_argument("--output", type=Path, default=ROOT / "build/installer")
    parser.add_argument("--images", type=Path, default=ROOT / "build/images")
    parser.add_argument("--only-write", action="store_true", help="serve nothing")
    given = parser.parse_args(arguments)
    images, problems = found_images(given.images)
    for problem in problems:
        print(f"installer: left out: {problem}")
    missing = [name for name in releases.image_boards() if name not in images]
    if missing:
        print(f"no image yet: {', '.join(missing)} (make firmware BOARD=…)")
    try:
        write(given.output, images, releases.licence_texts(given.images)[0])
        if not given.only_write:
            serve(given.output, given.port)
    except Unavailable as problem:
        print(f"installer: {problem}", file=sys.stderr)
        return 3
    except (OSError, OverflowError) as problem:
        print(f"installer: port {given.port}: {problem}; PORT=… takes another", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
