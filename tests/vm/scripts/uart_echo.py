"""Echo what a UART hears until its other end is gone, for integration/test_host_tools.py."""

import sys
import time

import machine

uart = machine.UART(sys.argv[1], 115200, bits=8, parity=None, stop=1, rxbuf=4096)
uart.init(baudrate=9600, bits=7, parity=0)
buffer = bytearray(64)
idle = 0
print("READY", uart.any(), uart.readinto(buffer), uart.read(4))
try:
    while idle < 2000:  # 10 s: then the test that started us has failed anyway
        count = uart.readinto(buffer)
        if count:
            uart.write(memoryview(buffer)[:count])
        else:
            idle += 1
            time.sleep(0.005)
    print("TIMEOUT")
except OSError as problem:
    print("GONE", problem)
