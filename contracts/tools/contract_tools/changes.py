"""Which change of a schema would break a reader of yesterday's events, or yesterday's reader of an event.

Events are kept and replayed, and services are rolled out one by one. So both directions count, and the only change
that breaks nobody is a new field that need not be there. Anything else is a new version, that is a new class.
"""

import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Schema = dict[str, Any]
Baseline = dict[str, Schema]

_SAYS_NOTHING = frozenset({"$schema", "$id", "$defs", "title", "description", "examples", "default"})


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """One line for each breaking step from the old schema of a type to the new one; empty when nothing breaks."""
    return list(_compare("", _inlined(old, old.get("$defs", {})), _inlined(new, new.get("$defs", {}))))


def _inlined(node: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_inlined(part, definitions) for part in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inlined(definitions[node["$ref"].rpartition("/")[2]], definitions)
    return {name: _inlined(part, definitions) for name, part in node.items() if name != "$defs"}


def _compare(path: str, old: Schema, new: Schema) -> Iterator[str]:
    here = path or "the event"
    yield from _compare_fields(path, old, new)
    if isinstance(old.get("items"), dict) and isinstance(new.get("items"), dict):
        yield from _compare(f"{path}[]", old["items"], new["items"])
    yield from _compare_choices(here, old, new)
    for rule in sorted(
        (old.keys() | new.keys()) - _SAYS_NOTHING - {"properties", "required", "enum", "items"}
    ):
        if _meant(old.get(rule)) != _meant(new.get(rule)):
            yield f"{here}: {rule} was {_shown(old, rule)} and is {_shown(new, rule)}"


def _compare_fields(path: str, old: Schema, new: Schema) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    needed = set(new.get("required", ()))
    for name, schema in before.items():
        inner = f"{path}.{name}" if path else name
        if name not in after:
            yield f"{inner}: the field is gone"
        else:
            yield from _compare(inner, schema, after[name])
    for name in sorted(needed - set(old.get("required", ()))):
        yield f"{path}.{name}".lstrip(".") + ": the field is now required"


def _compare_choices(here: str, old: Schema, new: Schema) -> Iterator[str]:
    before, after = ({_meant(choice) for choice in side.get("enum", ())} for side in (old, new))
    if ("enum" in old) != ("enum" in new):
        yield f"{here}: the choice was {_shown(old, 'enum')} and is {_shown(new, 'enum')}"
        return
    if before - after:
        yield f"{here}: the choice is narrower, without {', '.join(sorted(before - after))}"
    if after - before:
        yield f"{here}: the choice is wider, with {', '.join(sorted(after - before))}, which older readers refuse"


def _meant(node: Any) -> str:
    """A form in which two schemas that mean the same are equal text."""

    def bare(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: bare(inner) for name, inner in part.items() if name not in _SAYS_NOTHING}
        if isinstance(part, list):
            return sorted(
                (bare(inner) for inner in part), key=lambda inner: json.dumps(inner, sort_keys=True)
            )
        return part

    return json.dumps(bare(node), sort_keys=True, ensure_ascii=False)


def _shown(schema: Schema, rule: str) -> str:
    return _meant(schema[rule]) if rule in schema else "open"


def digest(schema: Schema) -> str:
    """Names one state of one type's schema, whatever its descriptions say."""
    return hashlib.sha256(f"{schema.get('$id')} {_meant(schema)}".encode()).hexdigest()[:16]


def broken_types(baseline: Baseline, now: Mapping[str, Schema], abandoned: frozenset[str]) -> list[str]:
    """What the present schemas break of an earlier baseline, but for states abandoned on purpose (by digest)."""
    lines = []
    for type_, old in baseline.items():
        if digest(old) in abandoned:
            continue
        if type_ not in now:
            lines.append(f"{type_}: the type is gone")
            continue
        lines += [f"{type_}: {line}" for line in breaking_changes(old, now[type_])]
    return lines


def committed_baselines(repository: Path, path: str) -> list[Baseline]:
    """Every content that a baseline file ever had in the commits at hand, newest first; empty outside git."""

    def git(*arguments: str) -> str:
        return subprocess.run(  # noqa: S603 - no argument comes from outside
            ["git", "-c", "safe.directory=*", "-C", str(repository), *arguments],  # noqa: S607
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    if not (repository / ".git").exists():
        return []
    changes = git("log", "--full-history", "-m", "--raw", "--no-abbrev", "--format=", "--", path).splitlines()
    blobs = dict.fromkeys(change.split()[3] for change in changes)
    return [json.loads(git("cat-file", "blob", blob)) for blob in blobs if blob.strip("0")]
