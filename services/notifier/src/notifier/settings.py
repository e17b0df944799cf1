"""What notifier is told besides what every service is told: the mail server, and how long it tries."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from chassis.settings import ServiceSettings

_TO_RECORD = 10.0  # seconds that writing down the outcome may take


class Settings(ServiceSettings, env_prefix="NOTIFIER_"):
    """Times are in seconds and count real time (the database's clock), not the legal clock."""

    kafka_gather: float = Field(
        default=0.2,
        ge=0,
        le=10,
        description="nobody minds to be told a moment later; one batch costs like one event",
    )
    smtp_host: str
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_starttls: bool = True
    smtp_ca_file: Path | None = None
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_timeout: float = Field(default=40, gt=0, description="one whole attempt")
    mail_from: str = Field(pattern=r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$")
    mail_budget: float = Field(default=72 * 3600, gt=0, description="how long a mail is tried")
    mail_first_delay: float = Field(default=30, gt=0, description="about how long after the first failure")
    recipient_patience: float = Field(
        default=7 * 86_400, gt=0, description="how long a notification waits for an enterprise not known yet"
    )

    @model_validator(mode="after")
    def _passwords_travel_encrypted(self) -> Self:
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("smtp_username and smtp_password: give both or neither")
        if self.environment == "production" and self.smtp_username is not None and not self.smtp_starttls:
            raise ValueError("smtp_starttls: production sends no password over an open connection")
        return self

    @model_validator(mode="after")
    def _no_mail_is_sent_twice_at_once(self) -> Self:
        if self.smtp_timeout > self.work_lease - _TO_RECORD:
            raise ValueError(f"smtp_timeout: at least {_TO_RECORD:.0f} s below work_lease")
        return self

    @property
    def mail_domain(self) -> str:
        return self.mail_from.partition("@")[2]
