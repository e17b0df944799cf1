"""Text that stays on its line, whatever was put into it."""

import re
import unicodedata

# Line and paragraph separators, and the marks that turn the direction of what follows.
_TURNS = re.compile("[\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def one_line(text: str, longest: int | None = None) -> str:
    """The text without line breaks and control characters, runs of white space as one; cut to `longest` characters."""
    plain = "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in _TURNS.sub(" ", text))
    line = " ".join(plain.split())
    return line if longest is None or len(line) <= longest else f"{line[: longest - 1]}…"
