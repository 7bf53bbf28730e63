"""Certificates made on the fly: good, expired, for another host, or vouched for by nobody."""

import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from coro_events.runtime.clock import SystemClock

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """Vouches for servers."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def client_context(self) -> ssl.SSLContext:
        """Return what trusts this authority and nobody else."""
        pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        return ssl.create_default_context(cadata=pem)

    def server_context(self, folder: Path, *, host: str = "127.0.0.1", ended_ago: timedelta = -DAY) -> ssl.SSLContext:
        """Return a server's context whose certificate this authority signed."""
        key = ec.generate_private_key(ec.SECP256R1())
        until = SystemClock().now() - ended_ago
        builder = _builder(host, key, until).issuer_name(self.certificate.subject)
        name = x509.DNSName(host) if host[0].isalpha() else x509.IPAddress(ip_address(host))
        builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        file = folder / f"{host}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def make_authority() -> Authority:
    """Make an authority that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder("authority", key, SystemClock().now() + DAY)
    certificate = (
        builder.issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(key, certificate)


def _builder(name: str, key: ec.EllipticCurvePrivateKey, until: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - 10 * DAY)
        .not_valid_after(until)
    )
