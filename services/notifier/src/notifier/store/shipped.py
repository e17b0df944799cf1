"""The table, the templates and the words that are shipped with the service, read once and checked against each other."""

from importlib.resources import files
from importlib.resources.abc import Traversable

import yaml
from pydantic import TypeAdapter

from chassis.topics import listened_by
from contracts.envelope import Event
from contracts.registry import event_types
from notifier.domain.broken import BrokenTable, Fault
from notifier.domain.notifications import Notices, names_for
from notifier.domain.table import Known, Notice, Row, read_table, refuse
from notifier.domain.wording import Wording

_WORDS = TypeAdapter(dict[str, dict[str, dict[str, str]]])
_HERE = "notifier"


def load_notices(folder: Traversable | None = None, types: dict[str, type[Event]] | None = None) -> Notices:
    """Raises BrokenTable, which stops the start: an event without a row, or anything that does not fit together."""
    home = folder or files(_HERE)
    events = event_types() if types is None else types
    fields = {type_: frozenset(event.model_fields) for type_, event in events.items()}
    topics = frozenset(listened_by(_HERE))
    heard = frozenset(type_ for type_, event in events.items() if event.topic_template in topics)
    wording = Wording(_templates(home / "templates"), _words(home / "words.yaml"))
    rules = home / "rules.yaml"
    table = read_table(rules.read_text(encoding="utf-8"), str(rules), Known(fields, heard, wording.templates))

    def names_are_given(row: Row, notice: Notice) -> list[Fault]:
        return wording.unknown_names(notice.template, names_for(notice.audience, fields[row.type]))

    refuse(table, names_are_given)
    return Notices(table, wording)


def _templates(folder: Traversable) -> dict[str, str]:
    return {
        str(file): file.read_text(encoding="utf-8")
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if not file.name.startswith(".")
    }


def _words(file: Traversable) -> dict[str, dict[str, dict[str, str]]]:
    try:
        words = _WORDS.validate_python(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (ValueError, yaml.YAMLError) as error:
        raise BrokenTable([Fault(str(file), 1, str(error))]) from error
    faults = [
        Fault(str(file), 1, f"{kind} {word} needs its zh-CN and its en")
        for kind, entries in words.items()
        for word, languages in entries.items()
        if languages.keys() != {"zh-CN", "en"}
    ]
    if faults:
        raise BrokenTable(faults)
    return words
