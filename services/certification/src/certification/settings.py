"""What certification is told."""

from pathlib import Path

from casework.rulebook import rulebooks_of
from casework.settings import TitleSettings


class Settings(TitleSettings, env_prefix="CERTIFICATION_"):
    """`rulebooks`: the folder of editions, when it is not the one that ships with the service."""

    rulebooks: Path | None = None

    @property
    def rulebook_folder(self) -> Path:
        return self.rulebooks or rulebooks_of("certification")
