"""A simulated FRITZ!Box: its logins, and its list of smart home devices, whose values grow.

    box = Box("logger", "secret")            # on a free port of 127.0.0.1
    box.method = "md5"                       # as before FRITZ!OS 7.24; else "pbkdf2"
    box.forget()                             # all sessions, as after a restart
    box.lists, box.logins, box.refusals      # how often; box.block_s: BlockTime
    box.present = False                      # of the plug

    .venv/bin/python -m tools.sim.fritz --port 8080        # until Ctrl-C

Built from AVM's technical notes "Session IDs in FRITZ!OS" and "AHA-HTTP-Interface". An entry with
`"host": "sim"` starts one with its user and password, and a plug that has its AIN.
"""

import argparse
import hashlib
import math
import os
import sys
import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from tools.sim import child
from tools.sim.lan import Answer, Device

PLUG = "11657 0000001"
METER = "13979 0000002"
_NO_SESSION = "0" * 16


class Box(Device):
    """See the module's text."""

    def __init__(
        self,
        user: str,
        password: str,
        port: int = 0,
        now: Callable[[], int] | None = None,
        plug: str = PLUG,
        address: str = "127.0.0.1",
    ) -> None:
        """now: its time in seconds since it began, None: the computer's."""
        self.user, self.password = user, password
        self.plug = plug
        self.method = "pbkdf2"
        self.rounds = (60000, 6000)
        self.rights = True  # whether the user has "Smart Home"
        self.present = True
        self.lists = self.logins = self.refusals = 0
        self.block_s = 0
        self._blocked_until = 0.0
        self._salt = os.urandom(16).hex()  # always the same for a user
        self._challenges: set[str] = set()
        self._sessions: set[str] = set()
        began = time.monotonic()
        self._now = now or (lambda: int(time.monotonic() - began))
        answer: Answer = self._page
        super().__init__(answer, port=port, address=address)

    def forget(self) -> None:
        """All sessions."""
        self._sessions.clear()

    def _page(self, method: str, target: str, body: bytes) -> tuple[int, str, bytes] | None:
        url = urlsplit(target)
        told = parse_qs(url.query + ("&" + body.decode() if body else ""), keep_blank_values=True)
        asked = {name: values[-1] for name, values in told.items()}
        if url.path == "/login_sid.lua":
            return 200, "text/xml", self._session(asked).encode()
        if url.path != "/webservices/homeautoswitch.lua":
            return None
        if asked.get("sid") not in self._sessions or not self.rights:
            return 403, "text/plain", b""
        if asked.get("switchcmd") != "getdevicelistinfos":
            return 400, "text/plain", b""
        self.lists += 1
        return 200, "text/xml", self._devices().encode()

    def _session(self, asked: dict[str, str]) -> str:
        sid = _NO_SESSION
        if "security:command/logout" in asked:
            self._sessions.discard(asked.get("sid", ""))
        elif asked.get("sid") in self._sessions:
            sid = asked["sid"]
        elif "response" in asked:
            if self._is_right(asked):
                self.logins += 1
                self.block_s = 0
                sid = os.urandom(8).hex()
                self._sessions.add(sid)
            else:
                self.refusals += 1
                self.block_s = min(2 * self.block_s or 2, 3600)
                self._blocked_until = time.monotonic() + self.block_s
        challenge = os.urandom(4).hex()
        if self.method == "pbkdf2" and asked.get("version") == "2":
            first, second = self.rounds
            challenge = f"2${first}${self._salt}${second}${os.urandom(16).hex()}"
        self._challenges.add(challenge)
        rights = "<Name>HomeAuto</Name><Access>2</Access>" if sid != _NO_SESSION else ""
        left = max(0, math.ceil(self._blocked_until - time.monotonic()))
        return (
            '<?xml version="1.0" encoding="utf-8"?>'
            f"<SessionInfo><SID>{sid}</SID><Challenge>{challenge}</Challenge>"
            f"<BlockTime>{left}</BlockTime><Rights>{rights}</Rights>"
            f'<Users><User last="1">{self.user}</User></Users></SessionInfo>\n'
        )

    def _is_right(self, asked: dict[str, str]) -> bool:
        """Whether a login answers a challenge that is open, which it ends."""
        if time.monotonic() < self._blocked_until or asked.get("username", "") != self.user:
            return False
        for challenge in list(self._challenges):
            if asked["response"] == response(challenge, self.password):
                self._challenges.discard(challenge)
                return True
        return False

    def _devices(self) -> str:
        second = self._now()
        present = int(self.present)
        return f"""<?xml version="1.0" encoding="utf-8"?>
<devicelist version="1" fwversion="8.20">
  <device identifier="{self.plug}" id="17" functionbitmask="35712" fwversion="04.26"
          manufacturer="AVM" productname="FRITZ!DECT 200">
    <present>{present}</present><txbusy>0</txbusy><name>Büro</name>
    <switch><state>1</state><mode>auto</mode><lock>0</lock><devicelock>0</devicelock></switch>
    <simpleonoff><state>1</state></simpleonoff>
    <powermeter><voltage>{230120 + second % 10}</voltage><power>{47110 + second % 10}</power>
      <energy>{1234567 + second}</energy></powermeter>
    <temperature><celsius>215</celsius><offset>-20</offset></temperature>
  </device>
  <device identifier="{METER}" id="18" functionbitmask="1" fwversion="04.26"
          manufacturer="AVM" productname="FRITZ!Smart Energy 250">
    <present>1</present><txbusy>0</txbusy><name>Zähler</name><battery>90</battery>
  </device>
  <device identifier="{METER}-1" id="2000" functionbitmask="8322" fwversion="04.26"
          manufacturer="AVM" productname="FRITZ!Smart Energy 250">
    <present>1</present><txbusy>0</txbusy><name>Zähler: Bezug</name>
    <powermeter><voltage></voltage><power>{-71000 - second % 10}</power>
      <energy>{16933817 + second}</energy></powermeter>
  </device>
  <device identifier="{METER}-2" id="2001" functionbitmask="8322" fwversion="04.26"
          manufacturer="AVM" productname="FRITZ!Smart Energy 250">
    <present>1</present><txbusy>0</txbusy><name>Zähler: Einspeisung</name>
    <powermeter><voltage>inval</voltage><power>{71000 + second % 10}</power>
      <energy>{653065 + second}</energy></powermeter>
  </device>
  <device identifier="09995 0000003" id="19" functionbitmask="320" fwversion="05.08"
          manufacturer="AVM" productname="FRITZ!DECT 301">
    <present>1</present><txbusy>0</txbusy><name>Heizung</name>
    <temperature><celsius>205</celsius><offset>0</offset></temperature>
    <hkr><tist>41</tist><tsoll>40</tsoll><absenk>36</absenk><komfort>40</komfort><lock/>
      <windowopenactiv>0</windowopenactiv><batterylow>0</batterylow><nextchange>
      <endperiod>0</endperiod><tchange>255</tchange></nextchange></hkr>
  </device>
</devicelist>
"""


def response(challenge: str, password: str) -> str:
    """What a login has to answer."""
    if not challenge.startswith("2$"):
        latin = "".join(one if ord(one) < 256 else "." for one in f"{challenge}-{password}")
        return f"{challenge}-{hashlib.md5(latin.encode('utf-16-le')).hexdigest()}"
    _, first, salt1, second, salt2 = challenge.split("$")
    derived = password.encode()
    for salt, rounds in ((salt1, first), (salt2, second)):
        derived = hashlib.pbkdf2_hmac("sha256", derived, bytes.fromhex(salt), int(rounds))
    return f"{salt2}${derived.hex()}"


def start(entry: dict, speed: int) -> str:
    """Start the box of a reader's entry; its host and port."""
    about = [entry.get("user") or "", entry.get("password") or "", entry.get("ain") or PLUG]
    names = ("--user", "--password", "--ain")
    told = [f"{name}={value}" for name, value in zip(names, about, strict=True)]
    return child.start("tools.sim.fritz", (*told, "--speed", str(speed)))


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools.sim.fritz", description=__doc__)
    parser.add_argument("--user", default="logger")
    parser.add_argument("--password", default="secret")
    parser.add_argument("--ain", default=PLUG, help="of its plug")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--speed", type=int, default=1)
    parser.add_argument("--child", action="store_true", help="end with the parent")
    options = parser.parse_args()
    began = time.monotonic()

    def now() -> int:
        return int((time.monotonic() - began) * options.speed)

    try:
        box = Box(options.user, options.password, options.port, now, options.ain)
    except OSError as problem:
        sys.exit(str(problem))
    print(f"127.0.0.1:{box.port}", flush=True)
    child.until_the_end(options.child)
    box.close()


if __name__ == "__main__":
    main()
