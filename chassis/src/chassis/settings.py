"""Settings of one service, read from its own prefix of the environment."""

import os
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.sources import EnvSettingsSource


class UnknownSetting(ValueError):
    pass


class _FileVariants(EnvSettingsSource):
    """Reads `<PREFIX><NAME>` or, for secrets mounted as files, the content of the file `<PREFIX><NAME>_FILE`."""

    def _load_env_vars(self) -> dict[str, str | None]:
        known = {f"{self.env_prefix}{name}".upper() for name in self.settings_cls.model_fields}
        found: dict[str, str | None] = {}
        for name, text in os.environ.items():
            upper = name.upper()
            if not upper.startswith(self.env_prefix.upper()):
                continue
            if upper in known:
                found[upper.lower()] = text
            elif upper.endswith("_FILE") and upper.removesuffix("_FILE") in known:
                found[upper.removesuffix("_FILE").lower()] = Path(text).read_text().strip()
            else:
                raise UnknownSetting(f"unknown setting {name}; known are {', '.join(sorted(known))}")
        return found


class ServiceSettings(BaseSettings):
    """What every service is told. Times are in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    environment: Literal["development", "production"] = "production"
    database_url: SecretStr
    pool_size: int = Field(default=8, ge=2, le=100)
    kafka_bootstrap: str
    kafka_idempotence: bool = True
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_ca_file: Path | None = None
    kafka_session_timeout: float = Field(default=10, gt=0)
    kafka_max_poll_interval: float = Field(
        default=300, gt=0, description="how long one batch may take before another member gets its partitions"
    )
    kafka_fetch_wait: float = Field(
        default=0.5, gt=0, description="how long the broker may hold an empty fetch"
    )
    kafka_gather: float = Field(
        default=0, ge=0, le=10, description="how long to rest after a batch, so that small ones become one"
    )
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8000, ge=1, le=65535)
    issuer: str
    audience: str
    jwks_url: str
    clock_file: Path | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    otlp_endpoint: str | None = None
    max_body_bytes: int = Field(default=1_048_576, ge=1024)
    max_upload_bytes: int = Field(default=52_428_800, ge=1024, description="of one file that is kept")
    upload_timeout: float = Field(default=300, gt=0, description="within which such a file has to arrive")
    storage: str | None = Field(
        default=None, pattern="^(file:///.|s3://[^/])", description="file:///folder or s3://bucket/prefix"
    )
    storage_endpoint: str | None = None
    storage_region: str | None = None
    storage_key: str | None = Field(default=None, description="the access key's id")
    storage_secret: SecretStr | None = None
    storage_ca_file: Path | None = None
    max_parked_keys: int = Field(default=20, ge=1, description="parked keys in a row that stop the consumer")
    relay_lease: float = Field(default=5, gt=0)
    work_lease: float = Field(
        default=60, gt=0, description="how long a delivery or a deadline may take before it is taken up again"
    )
    readiness_patience: float = Field(
        default=120, gt=0, description="seconds without progress before readiness is red"
    )
    shutdown_deadline: float = Field(default=15, gt=0)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _FileVariants(settings_cls)

    @model_validator(mode="after")
    def _production_is_strict(self) -> Self:
        if self.environment == "production":
            if self.clock_file is not None:
                raise ValueError("clock_file: a settable clock is for development only")
            if not self.jwks_url.startswith("https://"):
                raise ValueError("jwks_url: production takes keys over https only")
        return self

    def kafka_client(self) -> dict[str, Any]:
        """Connection arguments shared by every aiokafka client of the service."""
        client: dict[str, Any] = {
            "bootstrap_servers": self.kafka_bootstrap,
            "security_protocol": self.kafka_security_protocol,
        }
        if self.kafka_sasl_username is not None and self.kafka_sasl_password is not None:
            client |= {
                "sasl_mechanism": "SCRAM-SHA-512",
                "sasl_plain_username": self.kafka_sasl_username,
                "sasl_plain_password": self.kafka_sasl_password.get_secret_value(),
            }
        if self.kafka_security_protocol.endswith("SSL"):
            from aiokafka.helpers import create_ssl_context  # noqa: PLC0415 - only where TLS is used

            client["ssl_context"] = create_ssl_context(
                cafile=str(self.kafka_ca_file) if self.kafka_ca_file else None
            )
        return client
