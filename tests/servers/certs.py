"""Certificates for TLS tests: an authority, a server that it signed, and servers to refuse.

    made = certs.make(tmp_path)
    made.ca                     # path of the authority's certificate (PEM); made.ca_der: DER
    made.good                   # (certificate, key) for localhost and 127.0.0.1
    made.wrong_ca               # the same names, signed by somebody else
    made.wrong_name             # signed by the authority, for another host
    made.expired                # signed by the authority, until yesterday

Keys are on the P-256 curve: RSA would cost seconds per test.
"""

import datetime
import ipaddress
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Pair = tuple[str, str]


class Certificates(NamedTuple):
    """Paths of the files."""

    ca: str
    ca_der: str
    good: Pair
    wrong_ca: Pair
    wrong_name: Pair
    expired: Pair


def make(folder: Path) -> Certificates:
    """Write all certificates into a folder and return their paths."""
    authority = _authority("Test authority")
    stranger = _authority("Somebody else")
    ca = folder / "ca.pem"
    ca.write_bytes(authority[0].public_bytes(serialization.Encoding.PEM))
    ca_der = folder / "ca.der"
    ca_der.write_bytes(authority[0].public_bytes(serialization.Encoding.DER))
    return Certificates(
        str(ca),
        str(ca_der),
        _server(folder, "good", authority, ["localhost"], 30),
        _server(folder, "wrong_ca", stranger, ["localhost"], 30),
        _server(folder, "wrong_name", authority, ["elsewhere.example"], 30),
        _server(folder, "expired", authority, ["localhost"], -1),
    )


def _builder(subject: str, issuer: x509.Name | None, key, days: int) -> x509.CertificateBuilder:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer or name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=10))
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _authority(name: str) -> tuple:
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        _builder(name, None, key, 30)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .sign(key, hashes.SHA256())
    )
    return certificate, key


def _server(folder: Path, name: str, authority: tuple, hosts: list[str], days: int) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
    if "localhost" in hosts:
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    issuer, issuer_key = authority
    certificate = (
        _builder(hosts[0], issuer.subject, key, days)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False
        )
        .sign(issuer_key, hashes.SHA256())
    )
    certificate_file = folder / (name + ".pem")
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file = folder / (name + ".key")
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(certificate_file), str(key_file)
