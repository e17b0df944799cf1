"""What a service that grants titles is told about vouching for them."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from chassis.settings import ServiceSettings


class TitleSettings(ServiceSettings):
    """Who vouches for titles, where anybody asks about them, and with which keys.

    `public_url`: scheme and host at which the public reaches this service; printed in QR codes, and the issuer's name.
    `certificate_key` and `certificate_chain`: PEM, the signer's own certificate first. `credential_keys`: a JWK set of
    Ed25519 keys; the first signs, all are published. `development_keys`: a folder in which keys are made that vouch for
    nothing. `export_days`: how long the file of an export is kept.
    """

    public_url: Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$")] | None = None
    bureau_zh: str = "示例市科学技术局"
    bureau_en: str = "Science and Technology Bureau of Example City"
    certificate_template: Path | None = None
    certificate_fonts: Path | None = None
    certificate_key: SecretStr | None = None
    certificate_chain: str | None = None
    credential_keys: SecretStr | None = None
    development_keys: Path | None = None
    export_days: Annotated[int, Field(ge=1, le=3650)] = 30

    @property
    def public_address(self) -> str:
        return self.public_url or f"http://{self.http_host}:{self.http_port}"

    @model_validator(mode="after")
    def _vouches_in_its_own_name(self) -> Self:
        if (self.certificate_key is None) != (self.certificate_chain is None):
            raise ValueError("certificate_key, certificate_chain: give both or neither")
        if self.environment != "production":
            return self
        if self.development_keys is not None:
            raise ValueError("development_keys: whoever reads that folder signs; for development only")
        if self.certificate_key is None and self.credential_keys is None:
            return self
        if not (self.public_url or "").startswith("https://"):
            raise ValueError("public_url: production vouches for titles under an https address")
        if not {"bureau_zh", "bureau_en"} <= self.model_fields_set:
            raise ValueError("bureau_zh, bureau_en: who signs is named")
        return self
