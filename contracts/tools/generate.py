#!/usr/bin/env python
"""Writes what follows from the event classes: schemas/, baseline.json and asyncapi.yaml.

python contracts/tools/generate.py            write; refuses a breaking change and then writes nothing
python contracts/tools/generate.py --check    write nothing; exit 1 when something committed is not what it must be
python contracts/tools/generate.py --abandon TYPE --reason TEXT
                                              give up the committed state of a type that nobody has been told yet
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from contract_tools.folder import Folder
from contracts.envelope import Event
from contracts.registry import event_types

ROOT = Path(__file__).resolve().parent.parent


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Schemas, baseline and AsyncAPI document of the contracts")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when something is stale")
    parser.add_argument("--abandon", metavar="TYPE", help="give up the committed state of this type")
    parser.add_argument("--reason", help="why it binds nobody; with --abandon")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if bool(arguments.abandon) != bool(arguments.reason):
        parser.error("--abandon and --reason go together")
    return arguments


def main(argv: list[str] | None = None, types: Mapping[str, type[Event]] | None = None) -> int:
    """Exit code 0 when all is well or was written, 1 when something is stale or would break."""
    arguments = _arguments(argv)
    folder = Folder(arguments.root, event_types() if types is None else types)
    if arguments.abandon:
        folder.abandon(arguments.abandon, arguments.reason)
    broken = folder.broken()
    if broken:
        _say(*broken, "breaking: keep the class and add a new one with version=2 (contracts/README.md)")
        return 1
    if arguments.check:
        stale = folder.stale()
        _say(*(f"{path}: not what the classes say; run contracts/tools/generate.py" for path in stale))
        return 1 if stale else 0
    _say(*(f"wrote {path}" for path in folder.write()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
