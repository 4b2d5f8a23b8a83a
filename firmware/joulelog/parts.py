"""Bytes of heap that each part takes: data of fits.py, dropped after the start.

`make size ONLY=parts MICROPYTHON=<checkout>` measures them (tools/parts.py), compares, and writes
them with --lower; do not edit. SLOT: a reading in the ring, by reader. HEAP: a part, and per way
to install (fits.WAYS, in that order) "the first one+each further one". boot: until the start looks
at the heap; core: all but readers and sinks; ntp: time servers; work: what comes and goes; line:
what meters on a Modbus share; http: what sinks by HTTP share; drain: per sink, while readings
leave the flash.
"""

SLOT = """\
altherma 114
dsmr 166
health 84
modbus 68
pulse 22
pzem 99
"""
HEAP = """\
core     |        6700 |       32100 |        8400 |       32800 |       60300
ntp      |         400 |         400 |         400 |        3400 |        8700
dsmr     |   5400+4700 |  13300+5800 |   8000+7000 |  15800+8100 |  32500+8100
line     |        2000 |        7200 |        2000 |        7700 |       17000
pzem     |   2200+2000 |   4200+2800 |   2100+1900 |   3600+2800 |   5200+2700
modbus   |   2600+3800 |   5300+5100 |   3100+2000 |   5300+4400 |   8100+3800
pulse    |   5800+5100 |  14100+5200 |   5800+5100 |  14100+5200 |  25300+5300
altherma |   5300+5300 | 14200+14200 |   5200+5200 | 14300+14300 | 30500+30500
heat     |   2200+2200 |   5000+5000 |   2200+2200 |   4200+4200 |   8700+8700
replay   |   4100+4100 | 10600+10600 |   6400+6400 | 12900+12900 | 27200+27200
health   |   1600+1600 |   2900+2900 |   1600+1600 |   2800+2800 |   4500+4500
console  |   1300+1300 |   2500+2500 |   1300+1300 |   2500+2500 |   3800+3800
mqtt     |   6400+4900 |  26300+6400 |   7400+5200 |  25700+5600 |  45100+4400
http     |        1800 |       22500 |        2500 |       18200 |       31300
emoncms  |   6200+6300 |   9600+8100 |   9600+5800 |  11800+8100 | 14600+10800
influxdb |   6200+6200 |  10100+8400 |   8600+9200 |  14900+5800 | 16300+11000
spool    |   3000+1500 |  15500+1500 |   2000+1500 |  14700+1500 |  33500+1500
drain    |        7200 |        7500 |        5900 |        9800 |        7700
boot     |        1200 |        3100 |        1200 |        3000 |        4800
work     |        3800 |        2600 |        7600 |        8000 |        7400
tls      |   3900+7100 |   5500+5500 |   3900+7100 |   3900+7100 |   7800+2100
dsmr-key |        2300 |        2200 |        2300 |        2300 |        6000
"""
