"""AES-128 block encryption in plain Python (FIPS 197), for tools without other packages.

    encrypt = encryptor(bytes(16))
    encrypt(sixteen_bytes)

Not for boards: those have cryptolib.
"""

_ROUNDS = 10


def _tables() -> tuple[bytes, bytes]:
    """The S-box and the doubling table of the field GF(2^8) with x^8 + x^4 + x^3 + x + 1."""
    double = bytes((x << 1 ^ (0x11B if x & 0x80 else 0)) & 0xFF for x in range(256))
    power = [1]
    while len(power) < 255:  # powers of the generator 3 = 2 + 1
        power.append(power[-1] ^ double[power[-1]])
    log = {value: index for index, value in enumerate(power)}
    box = bytearray(256)
    for x in range(256):
        inverse = power[-log[x] % 255] if x else 0
        rotated = inverse | inverse << 8
        box[x] = (
            rotated ^ rotated >> 7 ^ rotated >> 6 ^ rotated >> 5 ^ rotated >> 4 ^ 0x63
        ) & 0xFF
    return bytes(box), double


_BOX, _DOUBLE = _tables()


def _round_keys(key: bytes) -> list[bytes]:
    words = [key[i : i + 4] for i in range(0, 16, 4)]
    constant = 1
    for index in range(4, 4 * (_ROUNDS + 1)):
        word = words[-1]
        if index % 4 == 0:
            word = bytes((_BOX[word[1]] ^ constant, _BOX[word[2]], _BOX[word[3]], _BOX[word[0]]))
            constant = _DOUBLE[constant]
        words.append(bytes(a ^ b for a, b in zip(word, words[-4])))
    return [b"".join(words[i : i + 4]) for i in range(0, len(words), 4)]


def encryptor(key: bytes):
    """Return a function that encrypts whole 16-byte blocks with this 16-byte key (ECB)."""
    keys = _round_keys(key)

    def block(data: bytes) -> bytes:
        state = bytes(a ^ b for a, b in zip(data, keys[0]))
        for number in range(1, _ROUNDS + 1):
            # SubBytes and ShiftRows: row r of column c comes from column c + r
            state = bytes(_BOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16))
            if number < _ROUNDS:
                state = b"".join(_mixed(state[i : i + 4]) for i in range(0, 16, 4))
            state = bytes(a ^ b for a, b in zip(state, keys[number]))
        return state

    def encrypt(data: bytes) -> bytes:
        return b"".join(block(data[i : i + 16]) for i in range(0, len(data), 16))

    return encrypt


def _mixed(column: bytes) -> bytes:
    total = column[0] ^ column[1] ^ column[2] ^ column[3]
    return bytes(column[i] ^ total ^ _DOUBLE[column[i] ^ column[(i + 1) % 4]] for i in range(4))
