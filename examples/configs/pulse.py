"""Meters that only pulse: a flashing LED, and a water meter with a contact.

On a computer `"pin": "sim"` plays a synthetic LED. On an ESP32 name a GPIO that can measure, such
as 34, and one for the contact. `"calibrate": True` says every two seconds what the sensor sees.
"""

device = "pulses"

readers = [
    {"type": "pulse", "name": "electricity", "pin": "sim", "pulses_per_kwh": 1000},
    {"type": "pulse", "name": "water", "input": "pin", "pin": 27, "pulses_per_litre": 1},
    {"type": "health"},
]

sinks = [
    {"type": "console"},
    # {"type": "mqtt", "host": "192.168.1.10"},
    # {"type": "influxdb", "url": "http://192.168.1.10:8086", "database": "energy"},
]
