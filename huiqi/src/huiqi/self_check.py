"""`huiqi self-check`: judge a facts file; nothing is stored and nothing needs to run."""

from pathlib import Path
from typing import Literal

import click

from casework.rulebook import rulebooks_of
from casework.self_check import run

_UNUSABLE = 2
_WORDS = {"zh-CN": "zh", "en": "en"}


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--programme", help="the programme, when the file does not name it")
@click.option("--level", help="the level, where a programme has editions of several")
@click.option("--edition", metavar="DATE", help="judge by the edition in force from this day")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--language", type=click.Choice(["zh-CN", "en"]), default="zh-CN", show_default=True)
def self_check(
    file: Path,
    *,
    programme: str | None,
    level: str | None,
    edition: str | None,
    form: Literal["text", "json"],
    language: Literal["zh-CN", "en"],
) -> None:
    """Judge the facts in FILE (YAML or JSON) by a programme's rules: each condition, its value, bound and article.

    Exit 0: all conditions are met; 1: one is not; 3: facts are missing; 2: the file or the request is unusable.
    """
    folders = [rulebooks_of("certification"), rulebooks_of("ip_enterprise")]
    said, code = run(file, programme, edition, form, folders, _WORDS[language], level)
    click.echo(said, err=code == _UNUSABLE)
    raise SystemExit(code)
