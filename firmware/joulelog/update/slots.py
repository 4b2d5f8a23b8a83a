"""Whether this board can be updated, and into which slot.

slot = slots.other(board, store)     # an esp32.Partition; UpdateError tells why not
slots.layout(slot)                   # of the partition table on its flash, lib/updatefile
slots.modulus()                      # the public key that the image was built with
"""

from micropython import const
from updatefile import UpdateError
from updatefile import layout as layout_of

from . import KEY, SLOT

_LABEL = const(4)  # of Partition.info()
_FILES = "the application lies on this board as files, which a cable renews: make flash"


def other(board, store):
    """The slot to write; UpdateError where there is none, or not now."""
    if board.CHIP == "esp8266":
        text = "an ESP8266 takes no update over the air: write its image with a cable"
        raise UpdateError("chip", text + " (make micropython)")
    if board.NAME != "HOST" and not hasattr(board, "IMAGE"):
        raise UpdateError("files", _FILES)
    running = slot = None
    try:
        from esp32 import Partition  # type: ignore[import-not-found]

        running = Partition(Partition.RUNNING)  # type: ignore[arg-type]
        slot = running.get_next_update()
    except (ImportError, OSError):
        pass
    if not running or not slot or slot.info()[2] == running.info()[2]:
        text = "there is no second place for firmware on this flash: write the image with a cable"
        raise UpdateError("slots", text + " (make micropython)")
    modulus()
    trial = store.get(KEY)
    if trial and trial[SLOT] == running.info()[_LABEL]:
        text = "the firmware that runs is on trial itself: try again in ten minutes"
        raise UpdateError("trial", text)
    return slot


def layout(slot) -> str:
    """What the file has to name as its layout."""
    kinds = (slot.TYPE_APP, slot.TYPE_DATA)
    return layout_of([part.info()[:5] for kind in kinds for part in slot.find(kind)])


def modulus() -> bytes:
    """The public key; UpdateError in an image without one."""
    try:
        import update_key  # type: ignore[import-not-found]
    except ImportError:
        text = "this image takes no updates: it was built without a key. make key makes one,"
        raise UpdateError("key", text + " and make firmware KEY=… builds an image that has it")
    return update_key.MODULUS
