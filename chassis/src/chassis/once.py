"""Files that several processes may want to make, and one does."""

import os
import time
from pathlib import Path


def create_once(path: Path, content: bytes) -> None:
    """Writes the file unless another process was first; nobody ever sees half of it, and nobody else may read it."""
    part = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    try:
        os.link(part, path)
    except FileExistsError:
        return
    finally:
        part.unlink()
