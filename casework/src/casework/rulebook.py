"""Loads rulebooks: a folder of `<programme>/<date in force>[.<level>].yaml`, checked before anybody is judged by them.

A malformed file, an unknown measure or parameter, overlapping or gapped bands and a sealed edition that
changed raise MalformedRulebook with file and line, so that a service does not start.
"""

import hashlib
from collections.abc import Iterable
from datetime import date
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from casework.edition import Edition
from casework.reading import Document, Unreadable, read_yaml, spell
from casework.rulebook_checks import problems_of
from casework.unusable import UnusableInput

SEAL = "seal.yaml"


class MalformedRulebook(Exception):
    """A rulebook that nobody may be judged by; the message says file, line, place and reason."""

    def __init__(self, file: Path, line: int, place: str, reason: str) -> None:
        self.file = file
        self.line = line
        self.place = place
        self.reason = reason
        super().__init__(f"{file}:{line}: {place + ': ' if place else ''}{reason}")


class Rulebooks:
    """All editions of a folder, found by programme, level and date."""

    def __init__(self, editions: Iterable[Edition]) -> None:
        self.editions: tuple[Edition, ...] = tuple(
            sorted(editions, key=lambda e: (e.programme, e.level or "", e.in_force_from))
        )

    def programmes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(edition.programme for edition in self.editions))

    def edition_for(self, programme: str, applied_on: date, level: str | None = None) -> Edition:
        """The edition in force on the day of application. Raises UnusableInput when there is none."""
        for edition in self._of(programme, level):
            if edition.in_force_from <= applied_on and (
                edition.in_force_to is None or applied_on <= edition.in_force_to
            ):
                return edition
        raise UnusableInput("applied_on", "no_edition_on", given=applied_on)

    def edition(self, programme: str, in_force_from: date, level: str | None = None) -> Edition:
        """The edition of that date, in force or not. Raises UnusableInput when there is none."""
        editions = self._of(programme, level)
        for edition in editions:
            if edition.in_force_from == in_force_from:
                return edition
        known = ", ".join(str(edition.in_force_from) for edition in editions)
        raise UnusableInput("edition", "no_such_edition", given=in_force_from, known=known)

    def find(self, edition_hash: str | None) -> Edition | None:
        return next((edition for edition in self.editions if edition.hash == edition_hash), None)

    def by_hash(self, edition_hash: str) -> Edition:
        """The edition a case was pinned to. Raises UnusableInput when it is not among these rulebooks."""
        edition = self.find(edition_hash)
        if edition is None:
            raise UnusableInput("edition_hash", "no_such_edition", given=edition_hash, known="")
        return edition

    def levels(self, programme: str) -> tuple[str | None, ...]:
        return tuple(
            dict.fromkeys(edition.level for edition in self.editions if edition.programme == programme)
        )

    def _of(self, programme: str, level: str | None) -> list[Edition]:
        levels = self.levels(programme)
        if not levels:
            raise UnusableInput(
                "programme", "unknown_programme", given=programme, known=", ".join(self.programmes())
            )
        if level is None and len(levels) > 1:
            raise UnusableInput("level", "level_needed", known=", ".join(map(str, levels)))
        return [e for e in self.editions if e.programme == programme and level in (None, e.level)]


def rulebooks_of(package: str) -> Path:
    """The folder of rulebooks that ships inside an installed service package, or stands beside its sources."""
    inside = Path(str(files(package))) / "rulebooks"
    beside = inside.parents[2] / "rulebooks"
    return inside if inside.is_dir() or not beside.is_dir() else beside


def load_rulebooks(*folders: Path) -> Rulebooks:
    """Reads, checks and freezes every edition of the folders. Raises MalformedRulebook."""
    read = [pair for folder in folders for pair in _read_folder(folder)]
    _check_dates(read)
    return Rulebooks(edition for _, edition in read)


def _read_folder(folder: Path) -> list[tuple[Path, Edition]]:
    found = sorted(p for p in folder.glob("*/*.yaml") if not p.name.endswith(".cases.yaml"))
    if not found:
        raise MalformedRulebook(folder, 0, "", "no rulebook in this folder")
    read = [(path, load_edition(path)) for path in found]
    _check_seals(folder, read)
    return read


def document_in(path: Path, raw: bytes) -> Document:
    """What stands in the file, with the line of each value. Raises MalformedRulebook."""
    try:
        return read_yaml(raw.decode())
    except UnicodeDecodeError as error:
        raise MalformedRulebook(path, 0, "", "not UTF-8") from error
    except Unreadable as error:
        raise MalformedRulebook(
            path, error.line, spell(error.path), f"{error.rule} {error.detail}".strip()
        ) from error


def load_edition(path: Path) -> Edition:
    """Reads and checks one edition, whatever its seal. Raises MalformedRulebook."""
    raw = path.read_bytes()
    document = document_in(path, raw)
    edition = _validated(path, document, hashlib.sha256(raw).hexdigest())
    for place, reason in problems_of(edition):
        raise MalformedRulebook(path, document.line_of(place), spell(place), reason)
    _check_name(path, document, edition)
    return edition


def _validated(path: Path, document: Document, digest: str) -> Edition:
    if not isinstance(document.content, dict):
        raise MalformedRulebook(path, 1, "", "names and values are needed")
    if "hash" in document.content:
        raise MalformedRulebook(
            path, document.line_of(("hash",)), "hash", "the hash is computed, not written"
        )
    try:
        return Edition.model_validate({**document.content, "hash": digest})
    except ValidationError as error:
        first = min(error.errors(include_url=False), key=lambda found: found["type"] == "missing")
        place = first["loc"]
        raise MalformedRulebook(path, document.line_of(place), spell(place), first["msg"]) from error


def _check_name(path: Path, document: Document, edition: Edition) -> None:
    if path.parent.name != edition.programme:
        line = document.line_of(("programme",))
        raise MalformedRulebook(path, line, "programme", f"the folder is named {path.parent.name}")
    wanted = {f"{edition.in_force_from}.yaml", f"{edition.in_force_from}.{edition.level}.yaml"}
    if path.name not in wanted:
        line = document.line_of(("in_force_from",))
        raise MalformedRulebook(path, line, "in_force_from", f"the file is named {path.name}")


def read_seals(folder: Path) -> dict[str, str] | None:
    """`<programme>/<file>` to SHA-256, None where nothing was ever sealed."""
    path = folder / SEAL
    if not path.is_file():
        return None
    try:
        content: Any = read_yaml(path.read_text(encoding="utf-8")).content
    except Unreadable as error:
        raise MalformedRulebook(path, error.line, spell(error.path), error.rule) from error
    if not isinstance(content, dict) or not all(isinstance(digest, str) for digest in content.values()):
        raise MalformedRulebook(path, 1, "", "a seal file maps each edition to its SHA-256")
    return content


def _check_seals(folder: Path, read: list[tuple[Path, Edition]]) -> None:
    seals = read_seals(folder)
    if seals is None:
        return
    names = {path.relative_to(folder).as_posix(): edition for path, edition in read}
    for name, digest in seals.items():
        if name not in names:
            raise MalformedRulebook(folder / name, 0, "", "a sealed edition is gone")
        if names[name].hash != digest:
            raise MalformedRulebook(
                folder / name, 1, "", "a sealed edition changed; a change of law is a new edition"
            )
    for name in names.keys() - seals.keys():
        raise MalformedRulebook(folder / name, 1, "", "not sealed; run python -m casework.seal on the folder")


def _check_dates(read: list[tuple[Path, Edition]]) -> None:
    ordered = sorted(read, key=lambda pair: (pair[1].programme, pair[1].level or "", pair[1].in_force_from))
    for (_, earlier), (path, later) in pairwise(ordered):
        if (earlier.programme, earlier.level) != (later.programme, later.level):
            continue
        if earlier.in_force_to is None or earlier.in_force_to >= later.in_force_from:
            raise MalformedRulebook(
                path, 1, "in_force_from", f"overlaps the edition of {earlier.in_force_from}"
            )
