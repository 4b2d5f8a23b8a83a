"""Tuya's local protocol, 3.1 to 3.5, without I/O: frames, sessions, announcements, tables.

from tuya.session import Session

session = Session("3.4", key, "bf0123456789abcdef", cryptolib.aes, os.urandom, receive)
for _ in session.begin():          # each turn is a step that a chip's loop can stand
    pass
send(session.taken())              # what is to be sent, b"" where that is nothing
for _ in session.feed(data):       # what came, in pieces of any length
    pass
send(session.taken())
if session.ready:
    for _ in session.query([101, 105], unix_seconds):
        pass
    send(session.taken())          # receive(b'{"dps":{"101":257,"105":143}}') follows
"""
