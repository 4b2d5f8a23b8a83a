"""List the meters that announce themselves on the network, each with its entry for the config.

    python3 -m tools.find                        # listens for five seconds
    python3 -m tools.find --seconds 15           # for devices that say little
    python3 -m tools.find --at 192.168.1.20      # ask this address; repeat it for more

Who is heard: Shelly, HomeWizard, OpenDTU, Fronius, and whatever else has a web page by mDNS, such
as go-e; FRITZ!Boxes by SSDP; Tuya's and myStrom's broadcasts. A web page is asked what it is.
What announces nothing (YouLess, AhoyDTU, a Tasmota as it comes) is found by --at. A computer in
another network than the meters, such as a container or a guest's Wi-Fi, hears nobody.

Exit status: 0 something was found, 1 nothing was.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tools.find import listen, probe
from tools.find.dnssd import Service

# What the service's name says of it; others are asked by all that is known.
_KINDS = {
    "_shelly._tcp.local": ("shelly",),
    "_hwenergy._tcp.local": ("homewizard",),
    "_opendtu._tcp.local": ("opendtu",),
    "_fronius-se-inverter._tcp.local": ("fronius",),
}
_TUYA_KEY = "its local key..."  # as long as one


def main(arguments: list[str] | None = None) -> int:
    """Listen, ask, print; the exit status."""
    options = _options(arguments)
    heard = listen.listen(options.seconds, options.interface, options.ports)
    for problem in heard.left_out:
        print(f"# not heard: {problem}", file=sys.stderr)
    found = list(entries(heard, options.at))
    if not found:
        print(
            "nothing was found: is this computer in the same network as the meters? "
            "`--at` asks an address",
            file=sys.stderr,
        )
        return 1
    print("readers = [")
    for told, entry in found:
        print(f"    # {told}\n    {json.dumps(entry, ensure_ascii=False)},")
    print("]")
    return 0


def entries(heard: listen.Heard, at: list[str]) -> Iterator[tuple[str, dict]]:
    """(what people call it, its entry) of all that was found, each under a name of its own."""
    taken: set[str] = set()
    for told, name, entry in [*_pages(heard, at), *_boxes(heard), *_tuya(heard)]:
        yield told, {"type": entry["type"], "name": _own(name, taken)} | entry


def _pages(heard: listen.Heard, at: list[str]) -> list[tuple[str, str, dict]]:
    """What has a web page, by address and port: a device may announce several services."""
    places: dict[tuple[str, int], tuple[str, tuple[str, ...]]] = {}
    for address in at:
        host, _, port = address.partition(":")
        places[host, int(port or 80)] = "", ()
    for address in heard.switches:
        places.setdefault((address, 80), ("", ("mystrom",)))
    for one in sorted(heard.services, key=lambda one: one.kind not in _KINDS):
        place = one.address, one.port
        places.setdefault(place, (_called(one), _KINDS.get(one.kind, ())))
    closed = {one.address for one in heard.services if one.about.get("api_enabled") == "0"}
    with ThreadPoolExecutor(16) as pool:
        answers = pool.map(lambda at: probe.ask(at[0], at[1], places[at][1]), places)
    found = []
    for (address, _), (called, _), listed in zip(places, places.values(), answers, strict=True):
        if not listed and address in closed:
            told = f"homewizard at {address}: switch its Local API on, in its app"
            entry = {"type": "http_json", "device": "homewizard", "host": address}
            found.append((told, called, entry))
        for entry in listed:
            unit = f", inverter {entry['unit']}" if "unit" in entry else ""
            name = called.split(".")[0] or entry["device"]
            told = f"{entry['device']} at {address}{unit}" + (f", {called}" if called else "")
            found.append((told, name + unit[11:].replace(" ", "_"), entry))
    return found


def _called(one: Service) -> str:
    """The name that stays where its address does not."""
    return one.host or one.name


def _boxes(heard: listen.Heard) -> Iterator[tuple[str, str, dict]]:
    for address in sorted(heard.boxes):
        told = "FRITZ!Box: user, password and ain (of the plug or meter) are yours to fill in"
        about = {"user": "its user", "password": probe.PASSWORD, "ain": "11657 0000001"}
        yield told, "fritz", {"type": "fritz", "host": address} | about


def _tuya(heard: listen.Heard) -> Iterator[tuple[str, str, dict]]:
    for identity, (address, version) in sorted(heard.tuya.items()):
        if not (identity.isascii() and identity.isalnum()):  # nobody's
            continue
        told = "Tuya: its local key is yours to fill in, and `device`: see docs/lan.md"
        about = {"device": "plug", "id": identity, "key": _TUYA_KEY, "host": address}
        version = "3.3" if version == "3.2" else version
        yield told, "tuya_" + identity[-4:], {"type": "tuya"} | about | {"version": version}


def _own(name: str, taken: set[str]) -> str:
    """A name for the config that nobody else has."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:40] or "meter"
    number = 1
    found = plain
    while found in taken:
        number += 1
        found = f"{plain}_{number}"
    taken.add(found)
    return found


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools.find", description=(__doc__ or "").split("\n\n")[0]
    )
    add = parser.add_argument
    add("--seconds", type=float, default=5, help="to listen")
    add("--at", action="append", default=[], metavar="ADDRESS[:PORT]", help="ask who is there")
    add("--interface", default="0.0.0.0", metavar="ADDRESS", help="of this computer, to ask on")
    names = ", ".join(listen.PORTS)
    add("--port", action="append", default=[], metavar="NAME=PORT", help=f"another for {names}")
    found = parser.parse_args(arguments)
    found.ports = dict(listen.PORTS)
    for text in found.port:
        name, _, port = text.partition("=")
        if name not in found.ports or not port.isdigit():
            parser.error(f"--port {text}; names are {names}")
        found.ports[name] = int(port)
    for text in found.at:
        if not re.fullmatch(r"[^:/\s]+(:\d{1,5})?", text):
            parser.error(f"--at {text}; allowed is an address or a name, with :PORT behind it")
    return found


if __name__ == "__main__":
    sys.exit(main())
