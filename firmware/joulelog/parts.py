"""Bytes of heap that each part takes: data of fits.py, dropped after the start.

`make size ONLY=parts MICROPYTHON=<checkout>` measures them (tools/parts.py), compares, and writes
them with --lower; do not edit. SLOT: a reading in the ring, by reader. HEAP: a part, and per way
to install (fits.WAYS, in that order) "the first one+each further one". boot: until the start looks
at the heap; core: all but readers and sinks; work: what comes and goes; line: what meters on a
Modbus share; http: what sinks by HTTP share; drain: per sink, while readings leave the flash.
"""

SLOT = """\
altherma 101
dsmr 164
health 85
modbus 85
pulse 22
pzem 84
"""
HEAP = """\
core     |           0 |           0 |           0 |       35800 |           0
tls      |   6400+3200 |           0 |   6400+3200 |   6400+3200 |           0
dsmr-key |        2200 |           0 |        2200 |        2200 |           0
dsmr     |           0 |           0 |           0 |  16000+8000 |           0
line     |           0 |           0 |           0 |        7800 |           0
pzem     |           0 |           0 |           0 |   3500+3900 |           0
modbus   |           0 |           0 |           0 |   4700+5000 |           0
pulse    |           0 |           0 |           0 |  14000+5200 |           0
altherma |           0 |           0 |           0 | 14400+14400 |           0
heat     |           0 |           0 |           0 |   4900+4900 |           0
replay   |           0 |           0 |           0 | 14200+14200 |           0
health   |           0 |           0 |           0 |   2500+2500 |           0
console  |           0 |           0 |           0 |   2400+2400 |           0
mqtt     |           0 |           0 |           0 |  25100+5700 |           0
http     |           0 |           0 |           0 |       22800 |           0
emoncms  |           0 |           0 |           0 |  9600+10900 |           0
influxdb |           0 |           0 |           0 |  10000+9800 |           0
spool    |           0 |           0 |           0 |  14300+3500 |           0
drain    |           0 |           0 |           0 |        6800 |           0
boot     |           0 |           0 |           0 |        2900 |           0
work     |           0 |           0 |           0 |        8800 |           0
"""
