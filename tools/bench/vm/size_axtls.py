"""One HTTPS request on the VM: for tools/bench/axtls.py.

Prints "TLS <bytes free before> <bytes in use with the connection>".
"""

import gc
import socket
import sys

import tls

gc.collect()
free = gc.mem_free()
connection = socket.socket()
connection.connect(socket.getaddrinfo("127.0.0.1", int(sys.argv[1]))[0][-1])
context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
context.verify_mode = tls.CERT_NONE
encrypted = context.wrap_socket(connection)
encrypted.write(b"POST /log.php HTTP/1.0\r\nContent-Length: 400\r\n\r\n" + bytes(400))
gc.collect()
kept = free - gc.mem_free()
if encrypted.read(12) == b"HTTP/1.0 200":
    print("TLS", free, kept)
