"""What certification is told."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from casework.rulebook import rulebooks_of
from casework.settings import TitleSettings


class Settings(TitleSettings, env_prefix="CERTIFICATION_"):
    """`rulebooks`: the folder of editions, when it is not the one that ships with the service.

    `invitation_days`: how long an invitation to act for an enterprise may be accepted.
    """

    rulebooks: Path | None = None
    invitation_days: Annotated[int, Field(ge=1, le=365)] = 7

    @property
    def rulebook_folder(self) -> Path:
        return self.rulebooks or rulebooks_of("certification")
