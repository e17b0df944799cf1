"""Every text for people, in Chinese and English: English is the message id, Chinese one gettext catalogue per package."""

import ast
import pkgutil
import re
from collections.abc import Iterable
from functools import cache
from importlib import import_module, resources
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Literal

from chassis.errors import Refused

Language = Literal["zh-CN", "en"]

DEFAULT: Final[Language] = "zh-CN"

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_ACCEPTED: Final = re.compile(r"\s*([A-Za-z]{1,8}|\*)(?:-[\w-]*)?\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?")
# Fields whose value is a word of ours, and is translated too where the catalogue knows it.
_WORDS: Final = ("thing", "action", "reason", "rule_broken")


def language_of(accept_language: str | None) -> Language:
    """The better liked of Chinese and English (RFC 9110, 12.5.4); Chinese when neither is named."""
    liked: dict[Language, float] = {}
    for part in (accept_language or "").split(",")[:20]:
        match = _ACCEPTED.fullmatch(part)
        if match is None:
            continue
        language: Language | None = {"zh": "zh-CN", "en": "en"}.get(match[1].lower())  # type: ignore[assignment]
        if language is not None:
            liked[language] = max(float(match[2] or 1), liked.get(language, 0))
    return "en" if liked.get("en", 0) > liked.get("zh-CN", 0) else DEFAULT


@cache
def _chinese(package: str) -> dict[str, str]:
    from babel.messages.pofile import read_po  # noqa: PLC0415 - read at first use, to idle lightly

    source = resources.files(package) / "locale" / "zh_CN.po"
    if not source.is_file():
        return {}
    entries = read_po(BytesIO(source.read_bytes()), locale="zh_CN", abort_invalid=True)
    return {
        str(entry.id): str(entry.string) for entry in entries if entry.id and entry.string and not entry.fuzzy
    }


class Catalogue:
    """The texts of these packages; of two that know a message, the first named wins."""

    def __init__(self, packages: Iterable[str]) -> None:
        self._packages = tuple(dict.fromkeys([*packages, "chassis"]))

    def text(self, message_id: str, language: Language, **fields: Any) -> str:
        """The message with its {names} filled; in English where it has no translation, braces left where no field is."""
        for name in _WORDS:
            if isinstance(word := fields.get(name), str):
                fields[name] = self._in(language, word, self._packages)
        return _fill(self._in(language, message_id, self._packages), fields)

    def refusal(self, error: Refused, language: Language) -> str:
        """The refusal's own message, also when its package is not among this catalogue's."""
        package = type(error).__module__.partition(".")[0]
        known = self if package in self._packages else Catalogue([*self._packages, package])
        return known.text(error.message_id, language, **error.fields)

    @staticmethod
    def _in(language: Language, message_id: str, packages: tuple[str, ...]) -> str:
        if language == "en":
            return message_id
        return next((text for p in packages if (text := _chinese(p).get(message_id))), message_id)


def _fill(text: str, fields: dict[str, Any]) -> str:
    return _PLACEHOLDER.sub(lambda name: str(fields.get(name[1], name[0])), text)


def untranslated(packages: Iterable[str]) -> list[str]:
    """`package: text` for what the packages say without a Chinese text, or with one of other {names}.

    Looks at every refusal's message and every text written as one of the fields that are translated.
    """
    missing = set()
    for package in packages:
        chinese = {**_chinese("chassis"), **_chinese(package)}
        for text in _said_by(package):
            if text not in chinese or set(_PLACEHOLDER.findall(text)) != set(
                _PLACEHOLDER.findall(chinese[text])
            ):
                missing.add(f"{package}: {text}")
    return sorted(missing)


def _said_by(package: str) -> set[str]:
    said: set[str] = set()
    modules = {package}
    for found in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
        if found.name.endswith(".__main__") or (spec := find_spec(found.name)) is None or spec.origin is None:
            continue
        import_module(found.name)
        modules.add(found.name)
        said |= set(_raised_words(ast.parse(Path(spec.origin).read_bytes())))
    for kind in _refusals(Refused):
        if kind.__module__ in modules:
            said.add((kind.__doc__ or kind.__qualname__).strip().splitlines()[0])
    return said


def _raised_words(module: ast.Module) -> Iterable[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            for field in node.exc.keywords:
                if field.arg in _WORDS and isinstance(field.value, ast.Constant):
                    yield str(field.value.value)


def _refusals(kind: type[Refused]) -> Iterable[type[Refused]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _refusals(narrower)
