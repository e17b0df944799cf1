"""The key that signs certificates, with the chain that says whose it is."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chassis.once import create_once

DEVELOPMENT_NAME: Final = "huiqi development, vouches for nothing"
_FOREVER: Final = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class CertificateKey:
    """PEM texts: the private key; the signer's certificate, then those above it."""

    key: bytes
    chain: bytes

    def __post_init__(self) -> None:
        """Raises ValueError when the key is not that of the first certificate."""
        private = serialization.load_pem_private_key(self.key, password=None)
        if private.public_key() != self.signer.public_key():
            raise ValueError("certificate_key: not the key of the first certificate in certificate_chain")

    @property
    def signer(self) -> x509.Certificate:
        return x509.load_pem_x509_certificates(self.chain)[0]

    @property
    def for_development(self) -> bool:
        named = self.signer.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        return any(one.value == DEVELOPMENT_NAME for one in named)

    def __repr__(self) -> str:
        return f"CertificateKey({self.signer.subject.rfc4514_string()})"


def development_key(directory: Path) -> CertificateKey:
    """The key in the folder, made when it is asked for first. Key and chain are one file: never of two makers."""
    kept = directory / "development-certificate.pem"
    if not kept.exists():
        directory.mkdir(parents=True, exist_ok=True)
        create_once(kept, _self_made())
    pem = kept.read_bytes()
    split = pem.index(b"-----BEGIN CERTIFICATE-----")
    return CertificateKey(key=pem[:split], chain=pem[split:])


def _self_made() -> bytes:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, DEVELOPMENT_NAME),
            x509.NameAttribute(NameOID.COMMON_NAME, "development certificate"),
        ]
    )
    signs = {"digital_signature": True, "content_commitment": True, "key_cert_sign": True}
    others = (
        "key_encipherment", "data_encipherment", "key_agreement", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    made = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number(), *_FOREVER)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**signs, **dict.fromkeys(others, False)), critical=True)
        .sign(private, hashes.SHA256())
    )
    key = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return key + made.public_bytes(serialization.Encoding.PEM)
