"""Pulse meters: find a meter's flashes in a stream of light readings, and debounce a contact.

    detector = Detector(found, tick_ms=1, pulse_ms=5, gap_ms=10, reads=2)
    detector.feed(samples, 0, count)       # array("i"); found(ms) is called for each flash
    detector.count, detector.glitches      # and the other COUNTERS

A sample is the sum of `reads` readings of 16 bits, one sample per tick_ms; a negative one says
that nobody looked for so many ms. Integer arithmetic, nothing is allocated per sample.

How it decides: four samples are added up (the level). Dark is the level's median while there is
no flash, noise the median step from one sample to the next, contrast the mean height of the
flashes counted. A flash begins above dark + 9/16 of the contrast, and ends three quarters of that
way above dark; the threshold never comes nearer to dark than 6.5 sigma of the noise. Dark follows
the light; light that stays becomes the new dark. README.md has what it can do and what not.

Where a pulse is dark (a LED that is lit and goes out for it, or a sensor that is wired the other
way round) `inverted` turns all samples over, in their place. Who did not say so is told: short
dips and no flash between them make the state "inverted".
"""

from array import array

from micropython import const

COUNTERS = ("glitches", "doubles", "spikes", "relearned", "dazzled_ms")

WRAP_MS = const(1 << 28)  # the detector's time begins again after 3 days
FULL = const(65535)  # one reading, at most
_BOX = const(4)  # samples in a level
_LEARN = const(256)  # samples at the start
_AGAIN = const(64)  # samples, when the light has changed
_KEEP = const(32)  # samples from one look at the thresholds to the next
_FINE = const(16)  # the noise is kept in sixteenths
_STALE_MS = const(60000)  # without a flash for so long, a lower one will do, step by step
_LONGEST_MS = const(500)  # light that lasts longer is no flash
_DIPS = const(3)  # without a flash, and pulses are dark


class Detector:
    """Flashes in readings of a photoresistor or phototransistor.

    pulse_ms: the shortest flash; gap_ms: two that begin nearer to each other are one.
    """

    def __init__(
        self,
        found,
        tick_ms: int,
        pulse_ms: int,
        gap_ms: int,
        reads: int,
        longest_ms: int = 0,
        inverted: bool = False,
    ) -> None:
        self.ms = 0  # the time of the newest sample; begins again at WRAP_MS
        self.count = 0
        self.glitches = 0  # too short
        self.doubles = 0  # too near to the one before
        self.spikes = 0  # single samples that stuck out
        self.relearned = 0  # times that the light was switched on or off
        self.dazzled_ms = 0  # light that stayed, or too much of it for flashes to show
        self.tick_ms = tick_ms
        self._found = found
        self._full = FULL * reads * _BOX
        self._mirror = FULL * reads if inverted else 0
        self._dips = 0
        self._dip_ms = 0  # when the last one began, and when it was seen last
        self._dipped_ms = 0
        self._least = self._full // 128  # no threshold is nearer to dark than this
        self._shortest_ms = max(tick_ms, pulse_ms * 2 // 5)
        self._gap_ms = gap_ms
        self._longest_ms = longest_ms or max(_LONGEST_MS, 8 * pulse_ms)
        self._ring = array("i", [0] * _BOX)
        self._at = 0
        self._last = 0  # sample
        self._level = 0
        self._dark = 0
        self._noise = 0  # median of the steps between samples, in sixteenths
        self._contrast = 0
        self._bright = False
        self._pending = False  # one sample sticks out
        self._rise_ms = 0
        self._counted_ms = -gap_ms  # when the last flash that was counted began
        self._heard_ms = 0
        self._top = 0
        self._low_since = 0
        self._left = _LEARN  # samples to learn from, 0: done
        self._lowest = self._full
        self._highest = 0
        self._until = _KEEP
        self._high = self._full
        self._low = self._full
        self._floor = 0  # a level below is a dip

    # What calibration shows, in thousandths of full scale (sigma: in ten thousandths).

    @property
    def level(self) -> int:
        """The light now, in thousandths of full scale."""
        level = self._full - self._level if self._mirror else self._level
        return level * 1000 // self._full

    @property
    def contrast(self) -> int | None:
        """The height of a flash above dark, in thousandths; None before the first one."""
        return self._contrast * 1000 // self._full if self._contrast else None

    @property
    def noise(self) -> int:
        """Sigma of a level, in ten thousandths of full scale."""
        return self._sigma() * 10000 // self._full

    @property
    def margin(self) -> int | None:
        """How far a flash rises above its threshold, in tenths of sigma; 50 is little."""
        if not self._contrast:
            return None
        return min(9999, (self._contrast * 70 // 16) // max(1, self._sigma()))

    @property
    def state(self) -> str:
        """In one word or two."""
        if self._left:
            return "learning"
        if self._dips >= _DIPS:
            return "inverted"
        if self._high >= self._full:
            return "too dark" if self._mirror else "too bright"
        if self._contrast and self._high - self._dark > self._contrast * 7 // 8:
            return "too noisy"
        return "ok" if self._contrast else "no flash yet"

    def feed(self, samples, start: int, stop: int) -> None:
        """Take samples[start:stop]."""
        mirror = self._mirror
        if mirror:
            for index in range(start, stop):
                if samples[index] >= 0:
                    samples[index] = mirror - samples[index]
        while start < stop:
            if self._left:
                self._teach(samples[start])
                start += 1
            else:
                start = self._search(samples, start, stop)

    def _search(self, samples, start: int, stop: int) -> int:
        """Look for flashes, up to stop or where the light has changed; return where that was."""
        ring = self._ring
        at = self._at
        last = self._last
        level = self._level
        noise = self._noise
        dark = self._dark
        high = self._high
        floor = self._floor
        until = self._until
        ms = self.ms
        tick = self.tick_ms
        for index in range(start, stop):
            sample = samples[index]
            if sample < 0:
                ms -= sample
                continue
            ms += tick
            level += sample - ring[at]
            ring[at] = sample
            at = (at + 1) & (_BOX - 1)
            step = (sample - last if sample > last else last - sample) * _FINE
            last = sample
            if step > noise:  # a median: as often above as below
                noise += (noise >> 7) + 1
            elif step < noise:
                noise -= (noise >> 7) + 1
            until -= 1
            if self._bright:
                if level > self._top:
                    self._top = level
                if level < self._low:
                    self._end(ms)
                elif ms - self._rise_ms > self._longest_ms:
                    self._stays(ms)
                    stop = index + 1
                    break
            elif level < high:
                if level > dark:
                    dark += (noise >> 9) + 8
                else:
                    dark -= (noise >> 9) + 8
                    if level < floor:
                        self._dip(ms)
            elif not self._is_single():
                self._bright = True
                self._rise_ms = ms
                self._top = level
            if until <= 0:
                until = _KEEP
                self._level = level
                self._noise = noise
                self._dark = dark
                self._look(ms)
                ms = self.ms
                dark = self._dark
                noise = self._noise
                high = self._high
                floor = self._floor
        self._at = at
        self._last = last
        self._level = level
        self._noise = noise
        self._dark = dark
        self._until = until
        self.ms = ms
        return stop

    def _sigma(self) -> int:
        # The median of |a - b| is 0.954 sigma of a sample; a level has 2 sigma.
        return self._noise * 67 // (_FINE * 32)

    def _end(self, ms: int) -> None:
        """The light went down again."""
        self._bright = False
        if ms - self._rise_ms < self._shortest_ms:
            self.glitches += 1
        elif self._rise_ms - self._counted_ms < self._gap_ms:
            self.doubles += 1
        else:
            self._counted_ms = self._heard_ms = self._rise_ms
            height = self._top - self._dark
            if not self._contrast:
                self._contrast = height
            else:  # one flash of a torch changes little
                self._contrast += (min(height, 2 * self._contrast) - self._contrast) >> 3
            self.count += 1
            self._dips = 0
            self._found(self._rise_ms)

    def _dip(self, ms: int) -> None:
        """It is far darker than dark: what was so before is over, if there is time between."""
        if abs(ms - self._dipped_ms) > 4 * self.tick_ms:  # the time may have begun again
            if self._shortest_ms <= self._dipped_ms - self._dip_ms <= self._longest_ms:
                self._dips += 1
            self._dip_ms = ms
        self._dipped_ms = ms

    def _stays(self, ms: int) -> None:
        """Light that stays is the new dark."""
        self._bright = False
        self.relearned += 1
        self.dazzled_ms += ms - self._rise_ms
        self._left = _AGAIN  # a look at it: it may flicker
        self._lowest = self._full
        self._highest = 0

    def _is_single(self) -> bool:
        """Whether the level is high by one sample alone: so far, or because it is a spike."""
        mid = (self._dark * 4 + (self._high - self._dark) * 3) // (4 * _BOX)
        lit = 0
        for sample in self._ring:
            if sample > mid:
                lit += 1
        self._pending = lit < 2
        return self._pending

    def _look(self, ms: int) -> None:
        """Every now and then: thresholds, and what is slow."""
        self.ms = ms
        if self._pending:
            self._pending = False
            self.spikes += 1
        if not self._bright:
            reach = max(self._high - self._dark, self._least)
            if self._level < self._dark - reach:  # a lamp was switched off
                self._low_since += 1
                if self._low_since > 1:
                    self._dark = self._level
                    self._low_since = 0
                    self._dip_ms = self._dipped_ms
                    self.relearned += 1
            else:
                self._low_since = 0
            if self._high >= self._full or self._is_noisy():
                self.dazzled_ms += _KEEP * self.tick_ms
            if ms - self._heard_ms > _STALE_MS:
                self._heard_ms = ms
                self._contrast -= self._contrast >> 3
        self._thresholds()
        if ms >= WRAP_MS:  # small integers stay small
            self.ms -= WRAP_MS
            self._rise_ms -= WRAP_MS
            self._heard_ms -= WRAP_MS
            self._counted_ms = max(self._counted_ms - WRAP_MS, -self._gap_ms)

    def _is_noisy(self) -> bool:
        return self._contrast > 0 and self._high - self._dark > self._contrast * 7 // 8

    def _thresholds(self) -> None:
        reach = max(self._contrast * 9 // 16, self._sigma() * 13 // 2, self._least)
        self._high = self._dark + reach
        self._low = self._dark + reach * 3 // 4
        self._floor = self._dark - reach

    def _teach(self, sample: int) -> None:
        """At the start: how dark it is, how much noise there is, and how high it flashes."""
        if sample < 0:
            self.ms -= sample
            return
        self.ms += self.tick_ms
        self._level += sample - self._ring[self._at]
        self._ring[self._at] = sample
        self._at = (self._at + 1) & (_BOX - 1)
        step = abs(sample - self._last) * _FINE
        self._last = sample
        self._left -= 1
        shift = 2 if self._left > _LEARN * 3 // 4 else 4 if self._left > _LEARN // 2 else 6
        if step > self._noise:
            self._noise += (self._noise >> shift) + 1
        elif step < self._noise:
            self._noise -= (self._noise >> shift) + 1
        if self._left < _LEARN // 2:
            self._lowest = min(self._lowest, self._level)
            self._highest = max(self._highest, self._level)
        if not self._left:
            sigma = self._sigma()
            self._dark = (self._lowest + self._highest) // 2
            height = self._highest - self._lowest - 5 * sigma
            if not self._contrast and height > max(7 * sigma, self._least):
                self._dark = self._lowest + sigma * 5 // 2
                self._contrast = height
            self._thresholds()
