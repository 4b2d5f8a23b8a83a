"""The module `cryptolib` for CPython: MicroPython's AES interface on PyPI's `cryptography`.

    import cryptolib
    ecb = cryptolib.aes(key, 1)              # 1 = ECB, 2 = CBC with a third argument, the IV
    block = ecb.encrypt(bytes(16))

As on the boards: keys of 16 or 32 bytes, no CTR and no GCM, whole blocks only, and one object
either encrypts or decrypts. CBC goes on from call to call.
"""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

MODE_ECB = 1
MODE_CBC = 2


class aes:
    """AES in ECB (mode 1) or CBC (mode 2)."""

    def __init__(self, key, mode: int, iv=None) -> None:
        if len(key) not in (16, 32):
            raise ValueError("key")
        if mode == MODE_ECB:
            chaining = modes.ECB()
        elif mode == MODE_CBC:
            if iv is None or len(iv) != 16:
                raise ValueError("IV")
            chaining = modes.CBC(bytes(iv))
        else:
            raise ValueError("mode")
        self._cipher = Cipher(algorithms.AES(bytes(key)), chaining)
        self._context = None
        self._encrypts = False

    def encrypt(self, data, out=None):
        """Encrypt whole blocks; into `out` (which may be `data`) when it is given."""
        return self._run(True, data, out)

    def decrypt(self, data, out=None):
        """Decrypt whole blocks; into `out` (which may be `data`) when it is given."""
        return self._run(False, data, out)

    def _run(self, encrypts: bool, data, out):
        if len(data) % 16:
            raise ValueError("blksize % 16")
        if self._context is None:
            self._encrypts = encrypts
            cipher = self._cipher
            self._context = cipher.encryptor() if encrypts else cipher.decryptor()
        elif self._encrypts != encrypts:
            raise ValueError("can't encrypt & decrypt")
        result = self._context.update(bytes(data))
        if out is None:
            return result
        if len(out) < len(result):
            raise ValueError("output too small")
        out[: len(result)] = result
        return out
