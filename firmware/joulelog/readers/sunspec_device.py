"""Which SunSpec device it is that a modbus reader asks: its model, its maker, its registers.

    finder = Finder()
    if await finder.found(reader): ...         # the reader has a table, or why not is told
    values = finder.checked(reader, values)    # None: it is another device by now

The models are looked for before the first reading, and again where another one lies in their
place: an inverter may be set to other models, and its firmware renewed. What stands in the
registers, says lib/sunspec.
"""

import sunspec
from sunspec.device import Device


class Finder:
    """What is known of one device."""

    _known = False
    _told = ""

    async def found(self, reader) -> bool:
        """Whether the reader has its table."""
        if not self._known:
            self._known = await self._find(reader)
        return self._known

    def checked(self, reader, values: list | None) -> list | None:
        """The values, where it is the same device still and has some."""
        if reader._table.moved:
            self._known = False
            return self._refuse(reader, "it has other models by now")
        if values is None:
            return None
        if values.count(None) == len(values):
            return self._refuse(reader, "it has no values: is an inverter off?")
        self._told = ""
        return values

    async def _find(self, reader) -> bool:
        scan = sunspec.Scan()
        while scan.want:
            payload = await _ask(reader, scan.want)
            if payload is None:
                return False
            scan.take(payload)
        known = sunspec.known(scan.models)
        which = reader._entry["which"]
        if len(known) < which:
            models = ", ".join([str(model) for model, _, _ in scan.models]) or "none"
            why = scan.error or "no inverter or meter number %d among its models: %s"
            self._refuse(reader, why if scan.error else why % (which, models))
            return False
        model, register, length, common = known[which - 1]
        maker = name = serial = None
        if common is not None:
            about = await _ask(reader, _of(common, sunspec.MAKER_AND_MODEL))
            serial = await _ask(reader, _of(common, sunspec.SERIAL))
            if about is None or serial is None:
                return False
            maker, name = sunspec.text(about, 0, 32), sunspec.text(about, 32)
            serial = sunspec.text(serial)
        device = Device(model, register, maker)
        _, first, count = device.blocks[-1]
        if first + count > register + 2 + length:
            self._refuse(reader, "its model %d is too short: %d registers" % (model, length))
            return False
        reader._use(device, reader._entry["most"])
        reader._output.identify(maker, name, serial)
        told = "%s: SunSpec model %d at %d, %s"
        others = ", ".join(["%d: model %d" % (n + 1, one[0]) for n, one in enumerate(known)])
        reader._log.info(told, reader.who, model, register, "`which` may be " + others)
        return True

    def _refuse(self, reader, why: str) -> None:
        """It answers, but not with values: told once."""
        reader._output.say("refused")
        if why != self._told:
            self._told = why
            reader._log.warning("%s: %s", reader.who, why)


def _of(register: int, place: tuple) -> tuple:
    return register + place[0], place[1]


async def _ask(reader, want: tuple) -> bytes | None:
    """The registers; b"" where it refuses, None where it is silent."""
    line = reader._line
    request = line.read(reader._entry["address"], sunspec.FUNCTION, *want)
    payload, exception, heard = await reader._ask(request, reader._rest_ms)
    if payload is None:
        if heard:
            reader.damaged += 1
        else:
            reader.timeouts += 1
    return payload
