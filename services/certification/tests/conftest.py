import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from certification_rig import counter

__all__ = ["counter"]
