"""The module `network` for tests: access points that come and go by a virtual clock.

    air = Air(virtual, Point("home", "correct horse"))
    wifi.network = air                    # in the module under test: its import of `network`
    air.points[0].there = False           # somebody pulls the plug of the router

A station joins some seconds after connect(), where the point is there, knows the password and has
an address to give; it joins again by itself when the point comes back, as the chips do.
"""


class Point:
    """An access point with its DHCP server."""

    def __init__(self, ssid: str, password: str, joins_ms: int = 3000) -> None:
        self.ssid = ssid
        self.password = password
        self.joins_ms = joins_ms  # association and DHCP
        self.there = True
        self.dhcp = True


class Air:
    """Stands for the module."""

    STA_IF = 0
    AP_IF = 1
    STAT_IDLE = 1000
    STAT_CONNECTING = 1001
    STAT_GOT_IP = 1010
    STAT_WRONG_PASSWORD = 202
    STAT_NO_AP_FOUND = 201

    def __init__(self, virtual, *points) -> None:
        self.virtual = virtual
        self.points = points
        self.name = ""
        self.station = Station(self)
        self.access_point = AccessPoint()

    def WLAN(self, interface):
        return self.station if interface == self.STA_IF else self.access_point

    def hostname(self, name):
        self.name = name


class AccessPoint:
    """The board's own, which a new ESP8266 has switched on."""

    on = True

    def active(self, on):
        self.on = on


class Station:
    """The interface that joins."""

    PM_NONE = 0

    def __init__(self, air) -> None:
        self.air = air
        self.on = False
        self.off = []  # ms, each time that it was switched off
        self.ssid = ""
        self.attempts = []  # (ms, name)
        self.refuses = 0  # how often it has to be switched off before it connects
        self.fixed = None  # ifconfig's tuple
        self.power = None
        self.since = None  # when it began to join
        self._password = ""

    def active(self, on):
        if self.on and not on:
            self.off.append(self.air.virtual.ms)
            self.since = None
            if self.refuses:
                self.refuses -= 1
        self.on = on

    def config(self, name=None, pm=None):
        if pm is not None:
            self.power = pm
        return {"ssid": self.ssid}.get(name)

    def ifconfig(self, settings=None):
        if settings == "dhcp":
            self.fixed = None
        elif settings:
            self.fixed = settings
        return self.fixed or ("192.0.2.7", "255.255.255.0", "192.0.2.1", "192.0.2.1")

    def disconnect(self):
        self.since = None

    def connect(self, ssid, password):
        self.attempts.append((self.air.virtual.ms, ssid))
        if self.refuses:
            raise OSError("Wifi Internal State Error")
        self.ssid = ssid
        self._password = password
        self.since = self.air.virtual.ms

    def scan(self):
        found = []
        for rank, point in enumerate(self.air.points):
            if point.there:
                found.append((point.ssid.encode(), b"", 1, -90 + rank, 3 * bool(point.password)))
        return found

    def joined(self, ssid, password):
        """As after a reset that an ESP8266 has used to join what it joined last."""
        self.on = True
        self.ssid = ssid
        self._password = password
        self.since = -10000

    def point(self):
        for point in self.air.points:
            if point.ssid == self.ssid and point.there:
                return point
        return None

    def isconnected(self):
        if not self.on or self.since is None:
            return False
        point = self.point()
        fits = point and point.password == self._password and (point.dhcp or self.fixed)
        if not fits:
            self.since = self.air.virtual.ms  # joins once it is back
            return False
        return self.air.virtual.ms - self.since >= point.joins_ms

    def status(self):
        point = self.point()
        if not point:
            return self.air.STAT_NO_AP_FOUND
        right = point.password == self._password
        return self.air.STAT_CONNECTING if right else self.air.STAT_WRONG_PASSWORD
