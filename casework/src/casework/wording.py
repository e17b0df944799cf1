"""The words of refusals and tables, in Chinese and English, from wording.yaml."""

from functools import cache
from importlib.resources import files
from typing import Any

from casework.reading import read_yaml


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ""


@cache
def _catalogue() -> dict[str, dict[str, str]]:
    text = files("casework").joinpath("wording.yaml").read_text(encoding="utf-8")
    content: dict[str, dict[str, str]] = read_yaml(text).content
    return content


def say(rule: str, language: str, **values: Any) -> str:
    """The words for the id, `{names}` filled in. An id without words speaks for itself."""
    words = _catalogue().get(rule)
    if words is None:
        return rule
    return words["zh" if language.startswith("zh") else "en"].format_map(_Blank(values))
