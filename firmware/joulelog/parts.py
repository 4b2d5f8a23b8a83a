"""Bytes of heap that each part takes: data of fits.py, dropped after the start.

`make size ONLY=parts MICROPYTHON=<checkout>` measures them (tools/parts.py), compares, and writes
them with --lower; do not edit. SLOT: a reading in the ring, by reader. HEAP: a part, and per way
to install (fits.WAYS, in that order) "the first one+each further one". boot: until the start looks
at the heap; core: all but readers and sinks; ntp: time servers; work: what comes and goes; line:
what meters on a Modbus share; http: what sinks by HTTP share; drain: per sink, while readings
leave the flash.
"""

SLOT = """\
altherma 122
dsmr 165
health 84
modbus 82
pulse 22
pzem 84
"""
HEAP = """\
boot     |        1000 |        3000 |        1000 |        2900 |        4800
core     |        6900 |       32100 |        8300 |       32400 |       59400
ntp      |         200 |         400 |         300 |        3500 |        8700
work     |        2900 |        1700 |        8400 |        9000 |        7300
dsmr     |   7000+4600 |  13200+5600 |   8900+7000 |  15900+8000 |  32500+8200
line     |         700 |        8300 |        1800 |        7900 |       17600
pzem     |   3300+1900 |   2900+2900 |   2300+2400 |   3400+2800 |   5200+3300
modbus   |   3800+3800 |   4600+4400 |   3300+2600 |   5200+3100 |   8300+4500
pulse    |   5700+5000 |  14000+5100 |   5800+5100 |  14100+5100 |  25300+5300
altherma |   5800+5800 | 14000+14000 |   6000+6000 | 14200+14200 | 31600+31600
heat     |   2100+2100 |   4900+4900 |   2200+2200 |   5000+5000 |   7800+7800
replay   |   3900+3900 | 10400+10400 |   6400+6400 | 12900+12900 | 27100+27100
health   |   1500+1500 |   2600+2600 |   1700+1700 |   2700+2700 |   4500+4500
console  |   1300+1300 |   2400+2400 |   1400+1400 |   2400+2400 |   3900+3900
mqtt     |   7100+4800 |  26800+4000 |   7800+5700 |  25000+5800 |  44000+5700
http     |        3900 |       19500 |        2100 |       18400 |       36400
emoncms  |   6400+8200 | 14600+13000 |   8200+8100 | 13800+13600 | 14300+10900
influxdb |   8300+6300 |  15000+8200 |   8300+8200 |  15300+7200 |  16300+9700
spool    |    2200+800 |   13800+800 |    2500+800 |   14700+800 |   34600+800
drain    |        9900 |        9400 |        8300 |        8400 |        6800
tls      |   5500+5600 |   6500+4600 |   5500+5600 |   5500+5600 |   7700+2900
dsmr-key |        2100 |        2100 |        2100 |        2100 |        6100
"""
