"""Signatures of certificates: PAdES B-B, made and read by pyHanko."""

from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, Final

from casework.certificates.keys import CertificateKey

FIELD: Final = "Issuer"


def sign(pdf: bytes, key: CertificateKey, *, bureau: str, reason: str) -> bytes:
    """The document with a signature after which nothing may change. It says the time of day, whatever the clock says."""
    from pyhanko.keys import load_certs_from_pemder_data, load_private_key_from_pemder_data  # noqa: PLC0415
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter  # noqa: PLC0415
    from pyhanko.sign import fields, signers  # noqa: PLC0415
    from pyhanko_certvalidator.registry import SimpleCertificateStore  # noqa: PLC0415

    chain = list(load_certs_from_pemder_data(key.chain))
    above = SimpleCertificateStore.from_certs(chain[1:])
    signer = signers.SimpleSigner(
        signing_cert=chain[0], signing_key=load_private_key_from_pemder_data(key.key, passphrase=None), cert_registry=above
    )  # fmt: skip
    said = signers.PdfSignatureMetadata(
        field_name=FIELD, name=bureau, reason=reason, md_algorithm="sha256", certify=True,
        subfilter=fields.SigSeedSubFilter.PADES, docmdp_permissions=fields.MDPPerm.NO_CHANGES,
    )  # fmt: skip
    signed = BytesIO()
    signers.sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)), said, signer, output=signed)
    return signed.getvalue()


class NotSigned(Exception):
    """What is wrong with a file that should be a signed certificate."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature says that holds for the whole file. `trusted` is None where nobody was named to trust."""

    number: str | None
    signer: str
    issuer: str
    sha256: str
    at: datetime | None
    trusted: bool | None


def read_signed(pdf: bytes, trust: bytes | None = None) -> Signed:
    """Who signed the certificate. `trust`: PEM of whoever may vouch for signers.

    Raises NotSigned when it is no signed PDF, or any byte changed after the signature.
    """
    from pyhanko.keys import load_certs_from_pemder_data  # noqa: PLC0415
    from pyhanko.pdf_utils.misc import PdfError  # noqa: PLC0415
    from pyhanko.pdf_utils.reader import PdfFileReader  # noqa: PLC0415
    from pyhanko.sign.validation import validate_pdf_signature  # noqa: PLC0415
    from pyhanko_certvalidator import ValidationContext  # noqa: PLC0415

    roots = [] if trust is None else list(load_certs_from_pemder_data(trust))
    context = ValidationContext(trust_roots=roots, allow_fetching=False)
    try:
        reader = PdfFileReader(BytesIO(pdf))
        signatures = reader.embedded_signatures
        if len(signatures) != 1:
            raise NotSigned(f"it has {len(signatures)} signatures; a certificate has one")
        status = validate_pdf_signature(signatures[0], signer_validation_context=context)
        number = _number_in(reader)
    except (PdfError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise NotSigned(f"not a signed certificate: {error}") from error
    return _said_by(status, number, None if trust is None else bool(status.trusted))


def _said_by(status: Any, number: str | None, trusted: bool | None) -> Signed:
    if not (status.intact and status.valid):
        raise NotSigned("the file is not what was signed")
    if status.coverage.name != "ENTIRE_FILE":
        raise NotSigned("something was added after the signature")
    signer = status.signing_cert
    return Signed(
        number, signer.subject.human_friendly, signer.issuer.human_friendly, signer.sha256.hex(),
        status.signer_reported_dt, trusted,
    )  # fmt: skip


def _number_in(reader: Any) -> str | None:
    """The title number: the only keyword of the document."""
    about = reader.trailer_view.get("/Info")
    said = None if about is None else about.get_object().get("/Keywords")
    return None if said is None else str(said)
