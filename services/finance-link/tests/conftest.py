import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from finance_rig import desk

__all__ = ["desk"]
