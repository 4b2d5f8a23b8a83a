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
dsmr 164
health 84
modbus 67
pulse 22
pzem 84
"""
HEAP = """\
core     |        6700 |       32400 |        8400 |       32900 |       60300
ntp      |         400 |         400 |         400 |        3400 |        8700
dsmr     |   5400+4700 |  13000+5800 |   8000+7000 |  15900+8000 |  32500+8100
line     |        2600 |        7600 |        1500 |        8400 |       17200
pzem     |   1600+2000 |   3500+2800 |   2700+1900 |   2900+3100 |   5100+2600
modbus   |   2600+3200 |   5000+4900 |   3100+3800 |   5000+4500 |   8100+3700
pulse    |   5800+5100 |  13800+5200 |   5800+5100 |  14100+5200 |  25300+5300
altherma |   5300+5300 | 14300+14300 |   5200+5200 | 14600+14600 | 30500+30500
heat     |   2300+2300 |   5000+5000 |   2200+2200 |   4700+4700 |   8700+8700
replay   |   4100+4100 | 10600+10600 |   6400+6400 | 12900+12900 | 27200+27200
health   |   1600+1600 |   2900+2900 |   1600+1600 |   2800+2800 |   4500+4500
console  |   1300+1300 |   2800+2800 |   1300+1300 |   2700+2700 |   3800+3800
server   |         200 |       10800 |           0 |       11100 |       12700
mqtt     |   6300+4900 |  15600+4900 |   7600+5700 |  14000+5700 |  31300+5600
http     |        1600 |       11700 |        2200 |        9400 |       19200
emoncms  |   6200+6100 |   9600+8100 |   8200+8100 |   9600+9400 | 14000+13000
influxdb |   6200+6200 |  10400+8300 |   8300+8300 |  10400+8300 |  15800+8300
spool    |   2500+1300 |  14100+1300 |   2500+1300 |  14100+1300 |  34100+1300
drain    |   5900+5900 |   8800+8800 |   6100+6100 |   7000+7000 |   7000+7000
boot     |        1200 |        3100 |        1200 |        3000 |        4800
work     |        2800 |        2600 |       10000 |        7700 |        8600
tls      |   6500+2000 |   3600+2000 |   6500+2000 |   6500+2000 |   8000+2000
dsmr-key |        2200 |        2200 |        2200 |        2200 |        6000
"""
