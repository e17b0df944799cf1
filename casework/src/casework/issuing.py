"""Who vouches for titles here: the bureau, its address and its keys."""

from dataclasses import dataclass
from typing import Self

from casework.certificates.keys import CertificateKey, development_key
from casework.certificates.press import Press
from casework.credential_keys import CredentialKeys, development_credential_keys
from casework.settings import TitleSettings
from casework.sourced import Text


@dataclass(frozen=True, slots=True)
class Issuing:
    """`certificate_key` and `credential_keys` are None where the service has none: it vouches for nothing then."""

    public_address: str
    bureau: Text
    press: Press
    certificate_key: CertificateKey | None
    credential_keys: CredentialKeys | None

    @classmethod
    def of(cls, settings: TitleSettings) -> Self:
        """Raises ValueError for keys that cannot sign, and in production for those made for development."""
        certificate_key, credential_keys = _certificate_key(settings), _credential_keys(settings)
        if settings.environment == "production":
            if certificate_key is not None and certificate_key.for_development:
                raise ValueError("certificate_chain: made for development; anybody may have that key")
            if credential_keys is not None and credential_keys.for_development:
                raise ValueError("credential_keys: made for development; anybody may have that key")
        return cls(
            public_address=settings.public_address,
            bureau=Text(zh=settings.bureau_zh, en=settings.bureau_en),
            press=Press(settings.certificate_template, settings.certificate_fonts),
            certificate_key=certificate_key,
            credential_keys=credential_keys,
        )


def _certificate_key(settings: TitleSettings) -> CertificateKey | None:
    if settings.certificate_key is not None and settings.certificate_chain is not None:
        key = settings.certificate_key.get_secret_value()
        return CertificateKey(key.encode(), settings.certificate_chain.encode())
    return development_key(settings.development_keys) if settings.development_keys else None


def _credential_keys(settings: TitleSettings) -> CredentialKeys | None:
    if settings.credential_keys is not None:
        return CredentialKeys.read(settings.credential_keys.get_secret_value())
    return development_credential_keys(settings.development_keys) if settings.development_keys else None
