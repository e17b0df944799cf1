"""What stands on a certificate."""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from pydantic import BaseModel, ConfigDict

from casework.case import Title
from casework.edition import Text


class Face(BaseModel):
    """What the form gets, as JSON in `sys.inputs.certificate`. `verify_at` is what the QR code says."""

    model_config = ConfigDict(frozen=True)

    number: str
    name: Text
    enterprise_name: str | None
    enterprise_id: str
    granted_on: date
    valid_until: date
    bureau: Text
    verify_at: str


def face_of(title: Title, name: Text, bureau: Text, public_address: str) -> Face:
    return Face(
        number=title.number,
        name=name,
        enterprise_name=title.enterprise_name,
        enterprise_id=title.enterprise_id,
        granted_on=title.granted_on,
        valid_until=title.valid_until,
        bureau=bureau,
        verify_at=title_address(public_address, title.number),
    )


def title_address(public_address: str, number: str) -> str:
    return f"{public_address}/v1/titles/{quote(number, safe='')}"


def title_name(programme: str, level: str | None, otherwise: Text) -> Text:
    """What the title is called; `otherwise` is the title of its edition."""
    known = _names().get(programme, {})
    name = known.get("levels", {}).get(level, known)
    return Text.model_validate(name) if "zh" in name else otherwise


@cache
def _names() -> dict[str, Any]:
    names: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("names.yaml").read_text("utf-8"))
    return names
