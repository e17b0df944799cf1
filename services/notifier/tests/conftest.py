import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from notifier_rig import bureau, sink

__all__ = ["bureau", "sink"]
