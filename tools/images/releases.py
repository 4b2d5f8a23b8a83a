"""What a release gives away as images: each is read, and held against its board, before.

    found, problems = releases.images(Path("build/images"))     # {file name: content}, [text]
    texts, problems = releases.licence_texts(Path("build/images"))   # what has to go with them

A folder of images has one of each board: joulelog-VERSION-BOARD.bin, as `make firmware` makes it,
and joulelog-VERSION-BOARD.licences.txt (tools/images/licences.py) beside it.
Each begins at its board's place of the flash, is for its chip, has its partition table, leaves
64 kB of its slot, and says the board, this version, this tree's date, and the board's features.
"""

from collections.abc import Iterator
from pathlib import Path

from tools import boards
from tools.images import espimage, licences, stage

SPARE_BYTES = 64 * 1024  # of a slot: the next version is larger
# Why a release is a preview; None when it is none any more.
PREVIEW = (
    "no image with all that is planned has been linked yet. The partition table of an image"
    " cannot be changed over the air: should the slots prove too small, a later version has to be"
    " written with a cable again, which erases the board."
)

_FLASH_CODE_8266 = 0x9000  # an ESP8266's firmware_kb begin there


def name() -> str:
    """What this release is called."""
    return f"joulelog-{stage.version()}" + ("-preview" if PREVIEW else "")


def image_name(board: str) -> str:
    """The file of a board's image."""
    return f"joulelog-{stage.version()}-{board}.bin"


def update_name(board: str) -> str:
    """The file that a board takes over the air."""
    return f"joulelog-{stage.version()}-{board}.update"


def licences_name(board: str) -> str:
    """The file with the licences of what a board's image contains."""
    return f"joulelog-{stage.version()}-{board}.licences.txt"


def image_boards() -> list[str]:
    """The boards that an image is made for."""
    return [board for board in boards.names() if board != "HOST"]


def images(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """({file name: content}, what is missing or wrong) of a folder of images."""
    found: dict[str, bytes] = {}
    problems = []
    for board in image_boards():
        path = folder / image_name(board)
        if not path.is_file():
            problems.append(f"{path.name} is missing: make firmware BOARD={board}")
            continue
        found[path.name] = path.read_bytes()
        problems += [f"{path.name} {text}" for text in image_problems(board, found[path.name])]
    names = (image_name, licences_name, update_name)
    known = {name(board) for board in image_boards() for name in names}
    for path in sorted(folder.glob("*")):
        if path.name not in known:
            problems.append(f"{path.name} is the image of no board in this version: take it away")
    return found, problems


def licence_texts(folder: Path) -> tuple[dict[str, str], list[str]]:
    """({part: text}, what is missing or contradicts) of what a folder's images contain."""
    files, chips, problems = {}, {}, []
    for board in image_boards():
        path = folder / licences_name(board)
        if not (folder / image_name(board)).is_file():
            continue  # has been told
        if path.is_file():
            files[board] = path.read_text()
            chips[board] = boards.facts(boards.FOLDERS / board)["chip"]
        else:
            problems.append(f"{path.name} is missing: make firmware BOARD={board} writes it")
    texts, more = licences.merged(files, chips)
    return texts, problems + more


def image_problems(board: str, data: bytes) -> Iterator[str]:
    """Yield what is wrong with a board's image."""
    folder = boards.FOLDERS / board
    told = boards.facts(folder)
    chip = told["chip"]
    try:
        whole = espimage.read(data, int(told["micropython"]["offset"], 0), chip)
    except espimage.ImageError as problem:
        yield str(problem)
        return
    if whole.chip != chip:
        yield f"is for an {whole.chip}, the board has an {chip}"
    if chip != "esp8266":
        yield from _table_problems(whole.table, boards.partition_file(folder))
    room = told["flash"]["layouts"]["frozen"]["firmware_kb"] * 1024
    room += _FLASH_CODE_8266 if chip == "esp8266" else 0
    if whole.size + SPARE_BYTES > room:
        yield (
            f"is too large: {whole.size} bytes, {room - whole.size} less than its room,"
            f" and {SPARE_BYTES} have to be left"
        )
    yield from _told_problems(board, espimage.told(data))


def _told_problems(board: str, told: espimage.Told | None) -> Iterator[str]:
    if told is None:
        yield "does not say what it is: make firmware puts that into it"
        return
    if told.board != board:
        yield f"is an image for {told.board}"
    if told.version != stage.version():
        yield f"is version {told.version}, this is {stage.version()}"
    if told.date != stage.date():
        yield f"is of {told.date}, this tree of {stage.date()}: commit, and build it again"
    if told.features != "own":
        yield f"has not the board's features, but these: {told.features}"


def _table_problems(table: tuple[espimage.Partition, ...], file: Path) -> Iterator[str]:
    wanted = tuple(_rows(file.read_text()))
    for number, row in enumerate(wanted):
        there = table[number] if number < len(table) else None
        if there != row:
            yield f"has another partition table than {file.name}: {there} where that has {row}"
            return
    if len(table) > len(wanted):
        yield f"has more partitions than {file.name}: {table[len(wanted)].name}"


def _rows(text: str) -> Iterator[espimage.Partition]:
    """The rows of a partition table as text."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("#", 1)[0].split(",")]
        if len(cells) >= 5:
            offset, size = int(cells[3], 0), int(cells[4], 0)
            yield espimage.Partition(cells[0], cells[1], cells[2], offset, size)
