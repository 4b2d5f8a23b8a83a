"""Bytes of heap that each part takes: data of fits.py, dropped after the start.

`make size ONLY=parts MICROPYTHON=<checkout>` measures them (tools/bench/parts.py), compares, and
writes them with --lower; do not edit. SLOT: a reading in the ring, by reader. HEAP: a part, and
per way to install (fits.WAYS, in that order) "the first one+each further one". boot: until the
start looks at the heap; core: all but readers and sinks; ntp: time servers; work: what comes and
goes; line: what meters on a Modbus share; http: what sinks by HTTP share; drain: per sink, while
readings leave the flash (drain-one: where each has a request of its own); other: a reader that is
not here yet, as large as any.
"""

SLOT = """\
altherma 114
dsmr 180
fritz 70
health 84
http_json 150
modbus 67
other 180
pulse 22
pzem 87
quarter 120
tuya 150
"""
HEAP = """\
core     |        6700 |       41900 |        8400 |       42700 |       71000
ntp      |         400 |         400 |         400 |        3400 |        8200
dsmr     |   6400+5800 |  18800+8700 |   9300+8000 | 21600+10800 | 46400+10800
line     |        2600 |        8100 |        1500 |       10100 |       22100
pzem     |   1600+2000 |   5400+4200 |   2700+1900 |   3400+3600 |   5600+4200
modbus   |   2600+3200 |   6400+5500 |   3100+3800 |   5800+4200 |   8600+4100
http_json | 12200+11700 | 33200+10400 |  12000+9500 | 31200+10500 | 64700+10200
fritz    | 12500+10500 | 30300+10400 | 12500+10400 | 28400+10600 | 49600+10400
tuya     | 13000+11000 | 34000+10500 | 12500+10500 | 31000+10600 | 58000+10400
pulse    |   5800+5100 |  14000+5400 |   5800+5100 |  13900+5600 |  25800+5400
altherma |   5300+5300 | 15100+15100 |   5200+5200 | 16400+16400 | 32100+32100
heat     |   2300+2300 |   4900+4900 |   2200+2200 |   3500+3500 |   8300+8300
peak     |   4100+4100 | 12800+12800 |   3200+3200 | 12900+12900 | 25900+25900
quarter  |   2200+2200 |   5400+5400 |   1900+1900 |   5300+5300 |   9200+9200
replay   |   4100+4100 | 15600+15600 |   6400+6400 | 17800+17800 | 40100+40100
health   |   1600+1600 |   3200+3200 |   1600+1600 |   3100+3100 |   6200+6200
console  |   1300+1300 |   2100+2100 |   1300+1300 |   2100+2100 |   2800+2800
server   |         200 |        6600 |           0 |        1400 |        3600
mqtt     |   7000+4900 |  11500+6500 |   7600+5700 |  15300+5900 |  33200+5800
history  |   4400+4400 | 16000+16000 |   5400+5400 | 16000+16000 | 33000+33000
http     |        1600 |        9600 |        2200 |        7800 |       23300
emoncms  |   6200+6100 |   7900+8400 |   8200+8100 |  15300+5900 |  12800+8300
influxdb |   6200+6200 |  10800+6100 |   8300+8300 | 13400+13900 |  15100+8600
webhook  |   2700+3000 |   8000+3000 |   2700+7800 |   7800+3000 |  11000+3200
spool    |   2500+1300 |  15600+1300 |   2500+1300 |  14300+1300 |  33700+1300
drain    |   5900+5900 |   7900+7900 |   6100+6100 |   6700+6700 |   8100+8100
drain-one |   2900+2900 |   7900+7900 |   6100+6100 |   6700+6700 |   8100+8100
boot     |        1200 |        5100 |        1200 |        5000 |        9800
work     |        2800 |        3500 |       10000 |        9700 |        9700
tls      | 22900+12500 | 22900+12500 |   4400+2000 |   4400+2000 |   5300+1800
dsmr-key |        1400 |        1600 |        1400 |        1400 |        5600
modbus-tcp |           0 |    2200+800 |           0 |        2300 |        5700
sunspec  |   2400+3000 |   5100+5200 |   2300+3000 |   5200+3600 |  12100+3900
other    | 12500+12500 | 33200+33200 | 12500+12500 | 31200+31200 | 64700+64700
"""
