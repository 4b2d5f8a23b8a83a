"""FRITZ!Box: its login, and the list of its devices with what they measure, without I/O.

    info = SessionInfo()                    # avm.login: answers of /login_sid.lua?version=2
    info.feed(body)
    if info.end() and not info.sid:
        answer = Answer(info.challenge, password)
        while not answer.step(32):          # PBKDF2: rounds at a time, the caller yields
            await asyncio.sleep(0)
        answer.text                         # "5A1722$1798a1..."
        answer.first                        # to keep: the next login begins behind it

    devices = DeviceList()                  # avm.devices: answers of getdevicelistinfos
    house = devices.want("11657 0240192")
    devices.feed(body)
    if devices.end():
        devices.found[house]                # (present, mW, Wh, mV, 0.1 degrees C, product)

AVM's technical notes: "Session IDs in FRITZ!OS", "AHA-HTTP-Interface".
"""
