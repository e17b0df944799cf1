"""`python -m casework.seal FOLDER`: writes the SHA-256 of every new edition into FOLDER/seal.yaml.

A sealed edition never changes: a change of law is a new edition. `--replace NAME` takes back one seal, for an
edition that was not yet in force.
"""

import argparse
import hashlib
import sys
from pathlib import Path

from casework.rulebook import SEAL, load_edition, read_seals


def seal(folder: Path, replace: tuple[str, ...] = ()) -> list[str]:
    """Seals what is not sealed yet and returns the names. Raises ValueError when a sealed edition changed."""
    seals = read_seals(folder) or {}
    added = []
    for path in sorted(folder.glob("*/*.yaml")):
        if path.name.endswith(".cases.yaml"):
            continue
        name = path.relative_to(folder).as_posix()
        load_edition(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if seals.get(name) == digest:
            continue
        if name in seals and name not in replace:
            raise ValueError(f"{name} is sealed and changed; write a new edition, or --replace {name}")
        seals[name] = digest
        added.append(name)
    lines = [f"{name}: {digest}\n" for name, digest in sorted(seals.items())]
    head = "# SHA-256 of each sealed edition; written by `python -m casework.seal <folder>`.\n"
    (folder / SEAL).write_text(head + "".join(lines), encoding="utf-8")
    return added


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m casework.seal", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--replace", action="append", default=[], metavar="NAME")
    chosen = parser.parse_args()
    try:
        added = seal(chosen.folder, tuple(chosen.replace))
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("".join(f"sealed {name}\n" for name in added))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
