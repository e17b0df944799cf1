"""The rig's own listener beside the product's: how it is started, and how an installation counts it in."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Final

from chassis.topics import load_topics
from huiqi.installation import Installation
from huiqi.services import Named

TALLY: Final = Named("tally")
FOLDER: Final = str(Path(__file__).resolve().parents[1] / "rig_tally")
ENVIRONMENT: Final = {"PYTHONPATH": os.pathsep.join(filter(None, (FOLDER, os.environ.get("PYTHONPATH"))))}
"""What its process needs besides, to be found as `python -m tally`."""

HEARD: Final = sorted(name for name, topic in load_topics().items() if topic.listeners)


def with_tally(installation: Installation) -> Installation:
    """The installation in which tally hears every topic that anybody hears, so that the ledger waits for it too."""
    topics = {
        name: topic.model_copy(update={"listeners": [*topic.listeners, TALLY.name]})
        if topic.listeners
        else topic
        for name, topic in installation.topics.items()
    }
    return replace(installation, topics=topics)
