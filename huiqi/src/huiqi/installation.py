"""What the operator's commands work on: the databases of the services, their storages and their Kafka."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import click
import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from chassis.clock import Clock, FileClock, SystemClock
from chassis.settings import ServiceSettings
from chassis.storage import Storage
from chassis.topics import Topic, load_topics
from huiqi.addresses import Addresses, find

Command = TypeVar("Command", bound=Callable[..., Any])


class IncompleteInstallation(ValueError):
    pass


@dataclass(frozen=True)
class Installation:
    """`databases` maps a service to its database's URL, `kafka` holds the arguments of an aiokafka client.

    `storages` has the services that keep objects. All carry passwords and are kept out of `repr`. Raises IncompleteInstallation when a service that owns or reads
    one of the `topics` has no database.
    """

    databases: Mapping[str, str] = field(repr=False)
    kafka: Mapping[str, Any] = field(repr=False)
    topics: Mapping[str, Topic] = field(default_factory=load_topics, repr=False)
    clock: Clock = field(default_factory=SystemClock)
    storages: Mapping[str, Storage] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        named = {topic.owner for topic in self.topics.values()}
        named |= {listener for topic in self.topics.values() for listener in topic.listeners}
        if missing := sorted(named - self.databases.keys()):
            raise IncompleteInstallation(f"no database is named for {', '.join(missing)}")

    @classmethod
    def of_house(cls, house: Addresses) -> Self:
        clock: Clock = FileClock(house.clock) if house.clock else SystemClock()
        databases = {name: service.database for name, service in house.services.items()}
        storages = {
            name: Storage(service.storage) for name, service in house.services.items() if service.storage
        }
        return cls(databases, house.kafka, clock=clock, storages=storages)

    def topic(self, name: str) -> Topic | None:
        """The row that stands for a topic's name, None for a topic that is not of this installation."""
        if name in self.topics:
            return self.topics[name]
        templates = (topic for topic in self.topics.values() if topic.is_template)
        return next((topic for topic in templates if topic.pattern.fullmatch(name)), None)

    def listened_by(self, service: str) -> list[Topic]:
        return [topic for topic in self.topics.values() if service in topic.listeners]


class _Read(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Secret(_Read):
    """A value, or the file that holds it."""

    value: SecretStr | None = None
    file: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, given: Any) -> Any:
        return {"value": given} if isinstance(given, str) else given

    def read(self) -> str:
        if self.file is not None:
            return self.file.read_text(encoding="utf-8").strip()
        return self.value.get_secret_value() if self.value else ""


class _Kafka(_Read):
    bootstrap: str
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_username: str | None = None
    sasl_password: _Secret | None = None
    ca_file: Path | None = None


class _Storage(_Read):
    """What the settings STORAGE… tell the service itself."""

    address: Annotated[str, Field(pattern="^(file:///.|s3://[^/])")]
    endpoint: str | None = None
    region: str | None = None
    key: str | None = None
    secret: _Secret | None = None
    ca_file: Path | None = None


class _File(_Read):
    """The form of an installation file; YAML or JSON."""

    services: Annotated[dict[str, _Secret], Field(min_length=1)]
    kafka: _Kafka
    storage: dict[str, _Storage] = Field(default_factory=dict)


def read_installation(path: Path) -> Installation:
    """Reads `services: {<name>: URL or {file: PATH}}`, `kafka: {bootstrap, security_protocol, …}` and, where objects
    are looked at, `storage: {<name>: {address, endpoint, region, key, secret, ca_file}}`.

    Raises ValueError, OSError or yaml.YAMLError where the file is wrong.
    """
    given = _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    databases = {name: secret.read() for name, secret in given.services.items()}
    storages = {name: _opened(storage) for name, storage in given.storage.items()}
    return Installation(databases, _client(given.kafka), storages=storages)


def _client(kafka: _Kafka) -> dict[str, Any]:
    """The services' own way from settings to the arguments of a client, so that both connect alike."""
    password = kafka.sasl_password.read() if kafka.sasl_password else None
    settings = ServiceSettings.model_construct(
        kafka_bootstrap=kafka.bootstrap,
        kafka_security_protocol=kafka.security_protocol,
        kafka_sasl_username=kafka.sasl_username,
        kafka_sasl_password=SecretStr(password) if password else None,
        kafka_ca_file=kafka.ca_file,
    )
    return settings.kafka_client()


def _opened(storage: _Storage) -> Storage:
    """The services' own way here too."""
    secret = storage.secret.read() if storage.secret else None
    settings = ServiceSettings.model_construct(
        storage=storage.address,
        storage_endpoint=storage.endpoint,
        storage_region=storage.region,
        storage_key=storage.key,
        storage_secret=SecretStr(secret) if secret else None,
        storage_ca_file=storage.ca_file,
    )
    return Storage.from_settings(settings)


def find_installation(house: Path | None, file: Path | None) -> Installation:
    """The installation that a file describes, else that of a running house. Raises click.UsageError."""
    if house is not None and file is not None:
        raise click.UsageError("--house and --installation exclude each other")
    try:
        return read_installation(file) if file is not None else Installation.of_house(find(house))
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise click.UsageError(f"{file or house}: {places}") from None
    except (OSError, yaml.YAMLError, IncompleteInstallation) as error:
        raise click.UsageError(f"{file or 'the house'}: {error}") from None


def installation_options(command: Command) -> Command:
    """`--house DIR` or `--installation FILE`; the command receives them as `house` and `installation_file`.

    They are looked up when the command runs, so that `--help` needs no installation.
    """
    kind = click.Path(path_type=Path, file_okay=False)
    house = click.option(
        "--house", type=kind, envvar="HUIQI_HOUSE", help="directory of a house that `huiqi up` runs"
    )
    file = click.option(
        "--installation",
        "installation_file",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="HUIQI_INSTALLATION",
        help="YAML or JSON file with the databases and the Kafka of an installation",
    )
    return house(file(command))
