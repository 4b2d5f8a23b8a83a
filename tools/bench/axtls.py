"""What HTTPS takes of an ESP8266's heap: the frozen VM has axTLS as the chip has it.

    .venv/bin/python -m tools.bench.axtls

Posts to servers with certificates of 2048 and 4096 bits, which an authority's authority has
signed, in ever smaller heaps. A smaller one than the least does not fail: axTLS writes to where no
memory is, and a chip restarts. The exit status is 0 where the figures are within those that
net/handshake.py and config/parts.py count with. Needs `make deps` and gcc-multilib (README).
"""

import datetime
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tools import ROOT
from tools.rig import frozen

LEAST_BYTES = 18500  # free before a handshake; net/handshake.py has it as well
KEPT_BYTES = 10500  # as long as the connection is there
_SCRIPT = ROOT / "tools/bench/vm/size_axtls.py"
_STEP = 256
_ANSWER = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"
_BITS = (2048, 4096)


class Server:
    """HTTPS with what axTLS knows: TLS 1.2, RSA for the keys."""

    def __init__(self, folder: Path, bits: int) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_chain(folder, bits))
        context.set_ciphers("AES256-SHA256:AES128-SHA256:@SECLEVEL=0")
        self._context = context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection = self._socket.accept()[0]
            except OSError:  # closed
                return
            try:
                with self._context.wrap_socket(connection, server_side=True) as encrypted:
                    encrypted.recv(4096)
                    encrypted.sendall(_ANSWER)
            except OSError:  # it had not enough memory
                pass

    def close(self) -> None:
        """No more connections."""
        self._socket.close()


def _chain(folder: Path, bits: int) -> Path:
    """A server's certificate and that of its authority, as they are sent: some 3.4 kB."""
    root = rsa.generate_private_key(65537, 2048)
    middle = rsa.generate_private_key(65537, 2048)
    key = rsa.generate_private_key(65537, bits)
    long = "a name as long as those of authorities are, with all that is sent beside it"
    chain = [
        _certificate("www.example.org", key, long, middle),
        _certificate(long, middle, "another authority", root),
    ]
    path = folder / f"{bits}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem = [one.public_bytes(serialization.Encoding.PEM) for one in chain]
    path.write_bytes(private + b"".join(pem))
    return path


def _certificate(subject: str, key, issuer: str, signer) -> x509.Certificate:
    now = datetime.datetime.now(datetime.timezone.utc)
    names = [
        x509.Name([x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, name[:60])])
        for name in (subject, issuer)
    ]
    filler = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x04\x82" + bytes(400))
    builder = x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1])
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=9))
    return builder.add_extension(filler, critical=False).sign(signer, hashes.SHA256())


def measured(program: Path, port: int) -> tuple[int, int]:
    """Bytes that were free in the smallest heap that will do, and in use with the connection."""
    least = kept = 0
    for heap in range(28 * 1024, 0, -_STEP):
        command = [str(program), "-X", f"heapsize={heap}", str(_SCRIPT), str(port)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = re.search(r"^TLS (\d+) (\d+)$", done.stdout, re.M)
        if done.returncode or not found:
            break
        least, kept = (int(number) for number in found.groups())
    if not least:
        sys.exit("axtls: it did not run:\n" + done.stdout + done.stderr)
    return least, kept


def main() -> int:
    try:
        program = frozen.build(None, "esp8266")
    except frozen.LeftOut as reason:
        print(f"left out: needs {reason}")
        return 3
    told = []
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for bits in _BITS:
            server = Server(Path(folder), bits)
            least, kept = measured(program, server.port)
            server.close()
            told.append(f"{bits} bits: {least:,} bytes free before, {kept:,} kept")
            good = good and least <= LEAST_BYTES and kept <= KEPT_BYTES
    print("; ".join(told))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
