"""The folder `contracts/`: what is committed there and what should be."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import TypeAdapter

from chassis.topics import read_topics
from contract_tools.asyncapi import document, written_yaml
from contract_tools.changes import Baseline, broken_types, digest
from contract_tools.schemas import schema_of, written
from contracts.envelope import Event

_BASELINE = TypeAdapter(Baseline)
_ABANDONMENTS = TypeAdapter(list[dict[str, str]])


class Folder:
    """The folder `contracts/`, or a copy of it: what is committed there and what should be."""

    def __init__(self, root: Path, types: Mapping[str, type[Event]]) -> None:
        self._root = root
        self._types = types
        self.schemas: Baseline = {type_: schema_of(event) for type_, event in types.items()}

    @property
    def baseline(self) -> Baseline:
        path = self._root / "baseline.json"
        return _BASELINE.validate_json(path.read_bytes()) if path.exists() else {}

    @property
    def abandonments(self) -> list[dict[str, str]]:
        path = self._root / "abandoned.yaml"
        return _ABANDONMENTS.validate_python(yaml.safe_load(path.read_bytes())) if path.exists() else []

    @property
    def abandoned(self) -> frozenset[str]:
        return frozenset(entry["state"] for entry in self.abandonments)

    def wanted(self) -> dict[str, str]:
        """The text of each generated file by its path below the folder."""
        topics = read_topics((self._root / "topics.yaml").read_text(encoding="utf-8"))
        project = tomllib.loads((self._root / "pyproject.toml").read_text(encoding="utf-8"))
        files = {f"schemas/{type_}.json": written(schema) for type_, schema in self.schemas.items()}
        files["baseline.json"] = written(self.schemas)
        files["asyncapi.yaml"] = written_yaml(document(self._types, topics, project["project"]["version"]))
        return files

    def stale(self) -> list[str]:
        """The generated files that are missing, different or left over."""
        wanted = self.wanted()
        different = [
            path
            for path, text in wanted.items()
            if not (self._root / path).exists() or (self._root / path).read_text(encoding="utf-8") != text
        ]
        return different + [path for path in self._schema_files() if path not in wanted]

    def broken(self) -> list[str]:
        """What the classes break of the committed baseline."""
        return broken_types(self.baseline, self.schemas, self.abandoned)

    def write(self) -> list[str]:
        """Brings the folder up to date and returns the paths it changed."""
        wanted, changed = self.wanted(), self.stale()
        for path in changed:
            file = self._root / path
            if path in wanted:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(wanted[path], encoding="utf-8")
            else:
                file.unlink()
        return changed

    def abandon(self, type_: str, reason: str) -> None:
        """Records that the baseline's state of a type binds nobody. Raises KeyError for an unknown type."""
        entry = {"type": type_, "state": digest(self.baseline[type_]), "reason": reason}
        with (self._root / "abandoned.yaml").open("a", encoding="utf-8") as log:
            yaml.safe_dump([entry], log, sort_keys=False, allow_unicode=True)

    def _schema_files(self) -> list[str]:
        return [f"schemas/{file.name}" for file in sorted((self._root / "schemas").glob("*.json"))]
