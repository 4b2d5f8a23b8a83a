"""Play a P1 meter from a second board: it sends telegrams from a UART, as a meter would.

    mpremote connect /dev/ttyUSB1 run tools/play_meter/board.py
    mpremote connect /dev/ttyUSB1 exec "tx = 4; invert = True" run tools/play_meter/board.py
    python3 -m tools.play_meter --board --tx 4 --invert /dev/ttyUSB1 recorded.txt

The last form sends recorded telegrams; alone, this file makes up one whose counters rise.
Settings, as names that exist before the script runs:

| name      | default | meaning                                                              |
|-----------|---------|----------------------------------------------------------------------|
| tx        | 17      | GPIO that sends (an ESP8266 sends on GPIO2 whatever this says)        |
| uart      | 1       | number of the UART                                                   |
| baud      | 115200  | 9600 goes with seven_bits = True: DSMR 2 and 3                        |
| invert    | False   | True: the line rests low, as that of a P1 port (not on an ESP8266)    |
| every_s   | 10      | seconds from one telegram to the next                                |
| count     | 0       | stop after so many; 0: Ctrl-C stops it                               |
| begin     | None    | (year, month, day, hour, minute, second) written into the telegrams   |
| season    | "W"     | "S" while `begin` is in summer time                                  |

Wiring: TX of this board to RX of the logger, GND to GND; both boards have 3.3 V levels, nothing
else is connected, and each has its own USB cable.
  - the logger's entry says `invert: True`, or a transistor turns the line round: invert = True;
  - the logger's RX hears the line as it is: invert = False.
"""

import sys
import time

import machine

_settings = globals()
_tx = _settings.get("tx", 17)
_uart = _settings.get("uart", 1)
_baud = _settings.get("baud", 115200)
_seven_bits = _settings.get("seven_bits", False)
_invert = _settings.get("invert", False)
_every_s = _settings.get("every_s", 10)
_count = _settings.get("count", 0)
_begin = _settings.get("begin", None)
_season = _settings.get("season", "W")
_telegrams = _settings.get("telegrams", ())

_STAMP = b"0-0:1.0.0("
_MADE_UP = (
    b"/JLG5\\2PLAY-METER\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0(%s)\r\n0-0:96.1.1(%s)\r\n"
    b"1-0:1.8.1(%06d.%03d*kWh)\r\n1-0:1.8.2(000321.098*kWh)\r\n1-0:2.8.1(000012.345*kWh)\r\n"
    b"1-0:2.8.2(000000.000*kWh)\r\n0-0:96.14.0(0002)\r\n1-0:1.7.0(%02d.%03d*kW)\r\n"
    b"1-0:2.7.0(00.000*kW)\r\n1-0:32.7.0(230.1*V)\r\n1-0:31.7.0(002*A)\r\n!"
)


def crc16(data):
    """CRC-16/ARC, bit by bit: there is time enough between two telegrams."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def stamp(elapsed_s):
    """The meter's time as P1 writes it, such as b"261120110000W"."""
    if _begin:
        now = time.localtime(time.mktime(tuple(_begin) + (0, 0)) + elapsed_s)
    else:
        now = time.localtime()  # 2000 where nobody has set it (mpremote rtc --set)
    text = "%02d%02d%02d%02d%02d%02d" % ((now[0] % 100,) + tuple(now[1:6]))
    return (text + _season).encode()


def made_up(number, elapsed_s):
    """A DSMR 5 telegram of an invented meter that imports 1.2 to 1.8 kW."""
    watts = 1200 + 100 * (number * 5 % 7)
    energy = 12345678 + elapsed_s * 1500 // 3600
    serial = b"4A4C30303030303031"
    kwh, wh = divmod(energy, 1000)
    head = _MADE_UP % (stamp(elapsed_s), serial, kwh, wh, watts // 1000, watts % 1000)
    return head + b"%04X\r\n" % crc16(head)


def at_this_time(telegram, elapsed_s):
    """The telegram with the present time in it, and its CRC made good."""
    at = telegram.find(_STAMP) + len(_STAMP)
    end = telegram.find(b")", at)
    if not _begin or at < len(_STAMP) or end - at != 13:
        return telegram
    telegram = telegram[:at] + stamp(elapsed_s) + telegram[end:]
    mark = telegram.rfind(b"!") + 1
    if len(telegram) - mark < 4:
        return telegram  # a dialect without CRC
    return telegram[:mark] + b"%04X\r\n" % crc16(telegram[:mark])


def open_uart():
    options = {"bits": 7 if _seven_bits else 8, "parity": 0 if _seven_bits else None, "stop": 1}
    if sys.platform == "esp8266":
        if _invert:
            raise SystemExit("an ESP8266 cannot invert: set invert = False, or use an ESP32")
        return machine.UART(1, baudrate=_baud, **options)  # sends on GPIO2
    options["tx"] = _tx
    if _invert:
        options["invert"] = machine.UART.INV_TX
    return machine.UART(_uart, baudrate=_baud, **options)


def send(port, data):
    """Write everything, however little the UART takes at a time."""
    view = memoryview(data)
    while len(view):
        view = view[port.write(view[:64]) or 0 :]
        time.sleep_ms(1)


def play():
    port = open_uart()
    began = time.ticks_ms()
    number = elapsed_s = 0
    while not _count or number < _count:
        if _telegrams:
            data = at_this_time(_telegrams[number % len(_telegrams)], elapsed_s)
        else:
            data = made_up(number, elapsed_s)
        send(port, data)
        number += 1
        print("sent telegram %d, %d bytes" % (number, len(data)))
        if _count and number >= _count:
            time.sleep_ms(200)  # until the last byte is out
            break
        elapsed_s += _every_s
        # In steps: ticks wrap after days, and a step is short.
        wait_ms = _every_s * 1000 - time.ticks_diff(time.ticks_ms(), began)
        if wait_ms > 0:
            time.sleep_ms(wait_ms)
        began = time.ticks_ms()


play()
