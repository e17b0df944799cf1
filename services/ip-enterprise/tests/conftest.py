import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from ip_rig import bureau

__all__ = ["bureau"]
